"""What was expected of a sandbox and what came instead, told so that nobody has to look any further.

The sandbox judges; here its verdict becomes the text of an AssertionError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from sandbox.clock import Deadline
from sandbox.errors import SandboxError
from sandbox.kit.records import Message, Request
from sandbox.kit.rules import api_names, as_written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.core.model import JsonObject
    from sandbox.kit.clock import Clock
    from sandbox.kit.control import Control

R = TypeVar("R", Message, Request)

SHOWN: Final = 5
"""Records that a failed assertion shows at most."""
_GLANCE_S: Final = 0.25
"""How long is waited for a change of status before the conditions are looked at again, in real time."""


def assert_sent(control: Control, when: Mapping[str, Any], times: int | None) -> None:
    """Raise an AssertionError unless messages that meet *when* were accepted, exactly so many where *times* is given."""
    __tracebackhide__ = True
    count = {"atLeast": 1} if times is None else {"exactly": times}
    verdict = _verify(control, "messages", when, count)
    if "detail" not in verdict:
        return
    matched = verdict["matched"]
    lines = [_counted(matched, "message", when, "sent", times)]
    lines += _listed("These were sent:", map(Message, _newest(control, verdict["ids"])), of=matched)
    if times is None or matched < times:
        lines += _near("Sent instead, nearest first:", verdict, Message)
        refused = [each for each in _requests(control, when) if each.message_id is None]
        lines += _listed("Asked for, but not accepted:", refused)
    raise AssertionError("\n".join(lines))


def assert_refused(control: Control, code: int, when: Mapping[str, Any], times: int | None) -> None:
    """Raise an AssertionError unless requests that meet *when* were answered *code*, so many where *times* is given."""
    __tracebackhide__ = True
    asked = _requests(control, when)
    refused = [each for each in asked if each.error == code]
    if refused if times is None else len(refused) == times:
        return
    lines = [_counted(len(refused), "request", when, f"refused with code {code}", times)]
    lines += _listed("These were:", refused)
    lines += _listed("Answered otherwise:", [each for each in asked if each.error != code])
    if not asked:
        verdict = _verify(control, "requests", when, {"atLeast": 1})
        lines += _near("Asked instead, nearest first:", verdict, Request)
    raise AssertionError("\n".join(lines))


def wait_for(
    control: Control,
    clock: Clock,
    when: Mapping[str, Any],
    *,
    status: str | None,
    text: str | None,
    count: int,
    timeout_s: float,
) -> list[Message]:
    """Return the messages that are as they should be, newest first, as soon as there are *count* of them.

    A virtual clock is moved from one due moment to the next for that.

    Raises:
        AssertionError: nothing more is due, or *timeout_s* real seconds have passed.
    """
    __tracebackhide__ = True
    deadline = Deadline(timeout_s)
    state = {"status": status, "text": text}
    while True:
        # Before the messages: what is no longer due by then has happened to them.
        shown = control.get("clock")
        met = matching(control, "messages", when)
        there = [Message(each) for each in pages(control, "messages", state)]
        found = chosen(there, met)
        if len(found) >= count:
            return found
        left_s = deadline.left_s()
        why = f"within {timeout_s:g} s"
        if shown["mode"] == "virtual":
            if shown["nextDue"] is None:
                why, left_s = "and nothing more is due", 0
            elif left_s:
                clock.reach_due(shown)
        elif left_s:
            query = {**state, "count": len(there) + 1, "timeout": min(left_s, _GLANCE_S)}
            control.get("messages/wait", query, also=409)
        if not left_s:
            raise AssertionError(_waited_in_vain(control, {**when, **_given(state)}, len(found), count, why))


def _waited_in_vain(control: Control, wanted: Mapping[str, Any], found: int, count: int, why: str) -> str:
    lines = [_counted(found, "message", wanted, f"there {why}", least=count)]
    when = {name: each for name, each in wanted.items() if name not in {"status", "text"}}
    met = matching(control, "messages", when)
    lines += _listed("These are there:", chosen(map(Message, pages(control, "messages")), met))
    if met == set():
        lines += _near(
            "Sent instead, nearest first:", _verify(control, "messages", when, {"atLeast": 1}), Message
        )
    refused = [each for each in map(Request, pages(control, "requests")) if each.message_id is None]
    return "\n".join(lines + _listed("Asked for, but not accepted:", refused))


def pages(control: Control, what: str, query: Mapping[str, object] | None = None) -> list[JsonObject]:
    """Return all records of a list, newest first."""
    records: list[JsonObject] = []
    after = None
    while True:
        page = control.get(what, {**(query or {}), "limit": 1000, "after": after})
        records += page[what]
        after = page["next"]
        if after is None:
            return records


# -- what the sandbox says -------------------------------------------------------------------------


def _verify(control: Control, of: str, when: Mapping[str, Any], count: Mapping[str, int]) -> JsonObject:
    """Return the sandbox's verdict; one that has a detail says that there are not as many."""
    return control.ask("POST", "verify", {"match": when, "of": of, "count": count}, also=409)


def matching(control: Control, of: str, when: Mapping[str, Any]) -> set[str] | None:
    """Return the ids of the ``messages`` or ``requests`` that meet *when*; None for all of them.

    Raises:
        SandboxError: there are more than the sandbox names.
    """
    if not when:
        return None
    verdict = _verify(control, of, when, {"atLeast": 0})
    ids = set(verdict["ids"])
    if len(ids) < verdict["matched"]:
        raise SandboxError(
            f"{verdict['matched']} {of} match, and only the newest {len(ids)} can be told apart: ask for fewer"
        )
    return ids


def chosen(records: Iterable[R], ids: set[str] | None) -> list[R]:
    """Return the records that have one of these ids; all where that is None."""
    return [each for each in records if ids is None or each.id in ids]


def _requests(control: Control, when: Mapping[str, Any]) -> list[Request]:
    met = matching(control, "requests", when)
    return chosen(map(Request, pages(control, "requests")), met)


def _newest(control: Control, ids: list[str]) -> list[JsonObject]:
    return [control.get(f"messages/{each}") for each in ids[:SHOWN]]


# -- in words --------------------------------------------------------------------------------------


def conditions(when: Mapping[str, Any]) -> dict[str, Any]:
    """Return a ``when`` in Python as the sandbox reads it: its names are the API's."""
    return {name: as_written(value) for name, value in api_names(when).items()}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _counted(
    number: int, noun: str, when: Mapping[str, Any], what: str, times: int | None = None, *, least: int = 1
) -> str:
    """Return how many there were and how many there should have been: ``No message with … was sent; expected: …``."""
    count = {0: f"No {noun}", 1: f"1 {noun}"}.get(number, f"{number} {noun}s")
    that = " with " + ", ".join(f"{name}={value!r}" for name, value in when.items()) if when else ""
    bound = f"at least {least}" if times is None else f"exactly {times}" if times else "none"
    return f"{count}{that} {'was' if number < 2 else 'were'} {what}; expected: {bound}"


def _listed(title: str, records: Iterable[Message | Request], *, of: int = 0) -> list[str]:
    """Tell what there is, with the reason of each refusal; *of* how many, where only these are at hand."""
    there = list(records)
    lines = [title] if there else []
    for each in there[:SHOWN]:
        why = each.reason if isinstance(each, Request) else None
        lines += [f"  {each!r}", *([f"      {why}"] if why else ())]
    more = max(of, len(there)) - SHOWN
    return [*lines, f"  … and {more} more"] if more > 0 else lines


def _near(title: str, verdict: JsonObject, kind: type[Message | Request]) -> list[str]:
    """Tell what came near, and in which fields each differs."""
    lines = []
    for each in verdict.get("nearest", ())[:SHOWN]:
        lines += [f"  {kind(each)!r}", *(f"      {miss}" for miss in each["misses"])]
    return [title, *lines] if lines else []
