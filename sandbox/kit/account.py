"""What a sandbox has seen, as lines for the report of a test that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox import contract

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.kit.records import Callback, Message, Request
    from sandbox.kit.world import World

SHOWN: Final = 20
"""Records of each kind, the newest."""


def account(sms: World) -> str:
    """Return its clock, its scenario, and all that was sent and reported."""
    return "\n".join(_lines(sms))


def _lines(sms: World) -> Iterator[str]:
    clock, scenario = sms.control.get("clock"), sms.scenario
    yield f"clock: {clock['mode']}, {clock['now']}, next due: {clock['nextDue'] or 'nothing'}"
    yield f"scenario: {scenario['name']}, seed {scenario['seed']}{_readings(sms)}"
    yield from _requests(sms.requests)
    yield from _messages(sms.messages)
    yield from _callbacks(sms.callbacks)


def _readings(sms: World) -> str:
    usual = contract.readings()._asdict()
    others = [f"{name}={value}" for name, value in sms.readings.items() if usual[name] != value]
    return f", readings {', '.join(others)}" if others else ""


def _requests(requests: Sequence[Request]) -> Iterator[str]:
    yield _title("requests", requests)
    for request in requests[-SHOWN:]:
        yield f"  {request!r}"
        yield from (f"      {each}" for each in (request.reason, *request.hints) if each)


def _messages(messages: Sequence[Message]) -> Iterator[str]:
    yield _title("messages", messages)
    for message in messages[-SHOWN:]:
        yield f"  {message!r}"
        for change in message.timeline:
            yield f"      {change['status']} {'since' if change['done'] else 'due at'} {change['at']}"


def _callbacks(callbacks: Sequence[Callback]) -> Iterator[str]:
    yield _title("callbacks", callbacks)
    for callback in callbacks[-SHOWN:]:
        yield f"  {callback!r}"
        yield f"      {callback.body}"
        for attempt in callback.attempts:
            yield f"      attempt at {attempt['at']}: {attempt.error or f'HTTP {attempt.status}'}, {attempt.ms} ms"
        if callback.reason:
            yield f"      {callback.reason}"


def _title(what: str, records: Sequence[object]) -> str:
    if not records:
        return f"{what}: none"
    return f"{what}:" if len(records) <= SHOWN else f"{what}, the last {SHOWN} of {len(records)}:"
