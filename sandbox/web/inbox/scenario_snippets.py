"""A request written down as what a sandbox reads: a rule of a scenario, and a test with its fixture.

Pure. The key is never written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.core.masking import is_key
from sandbox.core.model import Unreadable
from sandbox.core.scenario import Fault, Fixed, Uniform
from sandbox.web.inbox.snippets import PLACEHOLDER, Snippet, parts_of, python_call, python_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.core.model import Call, Change, Message, RequestRecord
    from sandbox.core.scenario import Delay, Respond

_TELLING: Final = ("to", "senderId", "message", "dcs", "udh", "user")
"""The parameters that tell a request apart; the others are different each time."""

_yaml_text = python_text  # YAML reads these escapes between double quotes as Python does

_UNANSWERED: Final = frozenset({Fault.RESET, Fault.TRUNCATE, Fault.GARBAGE, Fault.HANG})


def of_request(record: RequestRecord, message: Message | None, *, scenario: str) -> tuple[Snippet, ...]:
    """Return a GET or POST as a rule and as a test.

    Args:
        record: the request.
        message: what it became; None for nothing.
        scenario: the name of the one in force.
    """
    return (
        Snippet("rule", "YAML rule", as_rule(record, message)),
        Snippet("pytest", "pytest", as_test(record, scenario=scenario)),
    )


# -- a rule -------------------------------------------------------------------------------------------------------


def as_rule(record: RequestRecord, message: Message | None) -> str:
    """Return a rule that answers requests like this one as it was answered, and gives them its timeline.

    It goes under ``rules:`` of a scenario. Where a check refused the request, it comes before the checks.
    """
    lines = [f"- name: like-r{record.number}"]
    told = [f"    {name}: {_yaml_text(text)}" for name, text in _told_apart_by(record.call, message)]
    lines += ["  when:", *told] if told else ["  when: {}"]
    if record.respond is None and record.error is not None:
        lines += ["  before_checks: true", f"  respond: {{error: {record.error}}}"]
    elif record.respond is not None:
        lines.append(f"  respond: {{{', '.join(_respond(record.respond))}}}")
        if (message is not None) is not _is_submitted_anyway(record.respond):
            lines.append(f"  submit: {'false' if message is None else 'true'}")
    if message is not None:
        lines += _dlr(message)
    return "\n".join([*lines, ""])


def _told_apart_by(call: Call, message: Message | None) -> Iterator[tuple[str, str]]:
    """Yield what a rule matches: after the checks the destination and the text are as the readings have them."""
    values = dict(call.parameters)
    if message is not None:
        values["to"] = message.submission.destination
        values["message"] = message.submission.encoded.text or values["message"]
    for name in _TELLING:
        value = values.get(name)
        if value and not isinstance(value, Unreadable):
            yield name, value


def _is_submitted_anyway(respond: Respond) -> bool:
    is_delay_alone = respond.error is None and respond.status is None and respond.fault is None
    return respond.error == 3 or is_delay_alone


def _respond(respond: Respond) -> Iterator[str]:
    if respond.error is not None:
        yield f"error: {respond.error}"
    if respond.status is not None:
        yield f"status: {respond.status}"
    if respond.headers:
        headers = (f"{_yaml_text(name)}: {_yaml_text(value)}" for name, value in respond.headers.items())
        yield f"headers: {{{', '.join(headers)}}}"
    if respond.body is not None:
        yield f"body: {_yaml_text(respond.body)}"
    if respond.fault is not None:
        yield f"fault: {respond.fault}"
    if respond.delay is not None:
        yield f"delay: {_delay(respond.delay)}"


def _delay(delay: Delay) -> str:
    match delay:
        case Fixed(seconds):
            return _duration(seconds)
        case Uniform(low_s, high_s):
            return f"{{uniform: [{_duration(low_s)}, {_duration(high_s)}]}}"
    return f"{{lognormal: {{median: {_duration(delay.median_s)}, sigma: {delay.sigma:g}}}}}"


def _dlr(message: Message) -> list[str]:
    steps = [change for change in message.timeline if change.step is not None]
    return (
        ["  dlr:", *(f"    - {{{', '.join(_step(message, change))}}}" for change in steps)]
        if steps
        else ["  dlr: []"]
    )


def _step(message: Message, change: Change) -> Iterator[str]:
    start_at = message.submission.scheduled_at or message.received_at
    step = change.step
    yield f"after: {_duration((change.at - start_at).total_seconds())}"
    yield f"status: {_yaml_text(change.status)}"
    if change.error_code is not None:
        yield f"errorCode: {change.error_code}"
    if step is None:
        return
    if step.repeat > 1:
        yield f"repeat: {step.repeat}"
    if step.before_answer:
        yield "before_answer: true"
    elif change.send_at > change.at:
        yield f"send_after: {_duration((change.send_at - start_at).total_seconds())}"
    if step.body is not None:
        yield f"body: {_yaml_text(step.body)}"


def _duration(seconds: float) -> str:
    """Return a duration as scenarios write it, to the millisecond."""
    ms = max(0, round(seconds * 1000))
    return f"{ms // 1000}s" if ms % 1000 == 0 else f"{ms}ms"


# -- a test -------------------------------------------------------------------------------------------------------


def as_test(record: RequestRecord, *, scenario: str) -> str:
    """Return a test that makes the same call of a sandbox of its own, and expects the same answer."""
    call = python_call(parts_of(record.call, ""), "sms_sandbox.send_url").splitlines()
    is_unanswered = record.respond is not None and record.respond.fault in _UNANSWERED
    if is_unanswered:
        body = ["with pytest.raises(requests.RequestException):", *(f"    {line}" for line in call)]
        body[1] = body[1].replace("answer = ", "")
    else:
        body = [*call, *(f"assert {each}" for each in _expectations(record))]
    to = record.call.parameters.get("to")
    if record.message_number is not None and isinstance(to, str):
        body.append(f"sms_sandbox.assert_sent(to={python_text(to)}, times=1)")
    marks = [] if scenario == "default" else [f"@pytest.mark.sms_scenario({python_text(scenario)})"]
    imports = ["import pytest", "import requests"] if marks or is_unanswered else ["import requests"]
    head = f"def test_like_r{record.number}(sms_sandbox):"
    return "\n".join([*imports, "", "", *marks, head, *(f"    {line}" for line in body), ""])


def _expectations(record: RequestRecord) -> Iterator[str]:
    if record.answer.status != 200:
        yield f"answer.status_code == {record.answer.status}"
    body = record.answer.body
    for name, value in record.call.parameters.items():
        # A rule may answer with the key: the test sends another, and that is what it gets back.
        if is_key(name) and isinstance(value, str) and value:
            body = body.replace(value, PLACEHOLDER)
    is_generated = not record.call.parameters.get("transactionId")
    if body.startswith("OK_") and is_generated:
        yield 'answer.text.startswith("OK_")'
    elif not (record.error is None and is_generated and record.message_number is not None):
        yield f"answer.text == {python_text(body)}"
    else:
        yield "answer.ok"
