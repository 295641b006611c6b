"""What a rule makes of an answer: its own words in place of it, and why that is no error of the sender's.

Knows nothing of how an answer is sent, delayed or broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.core.answer import CONTENT_TYPES
from sandbox.core.model import Answer, Format
from sandbox.core.scenario import Fault
from sandbox.core.template import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.core.model import Value
    from sandbox.core.scenario import Respond, Rule

EMPTY: Final = Answer(200, CONTENT_TYPES[Format.TEXT], "")

SHOWN: Final = frozenset({Fault.TRUNCATE, Fault.DRIP})
"""The faults that show some of an answer, so that there has to be one."""


def is_replaced(respond: Respond | None) -> bool:
    """Say whether the client gets something else than an answer of the API, whole and at once or late."""
    return respond is not None and (respond.status is not None or respond.fault is not None)


def replacement(
    respond: Respond, parameters: Mapping[str, Value], transaction_id: str | None
) -> Answer | None:
    """Return what is answered instead of what the checks earned; None where that stands.

    Args:
        respond: what the rule says.
        parameters: of the call, for the placeholders of the body.
        transaction_id: of the message, when there is one.
    """
    if respond.fault is Fault.EMPTY:
        return EMPTY
    if respond.status is None:
        return None
    values = parameters if transaction_id is None else {**parameters, "transactionId": transaction_id}
    content_types = [value for name, value in respond.headers.items() if name.lower() == "content-type"]
    return Answer(
        respond.status,
        content_types[0] if content_types else CONTENT_TYPES[Format.TEXT],
        render(respond.body or "", values),
    )


def blame(rule: Rule, scenario_name: str) -> str | None:
    """Return why a call that no check refused gets no success to read; None where it does get one."""
    respond = rule.respond
    status, fault = (None, None) if respond is None else (respond.status, respond.fault)
    if rule.submit and (fault in {None, Fault.DRIP}) and (status or 0) < 400:
        return None
    if fault is not None:
        what = f"breaks the answer: {fault}"
    elif status is not None:
        what = f"answers HTTP {status}"
    else:
        what = "accepts no message"
    return f"rule {rule.name} of scenario {scenario_name} {what}"
