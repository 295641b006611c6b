"""The conditions of a drill for a sender: what the sandbox does to it, what it should make of that, and why.

A table, made of the contract's own; nothing here runs anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sandbox.contract import error_codes, reading_rows
from sandbox.core.model import Format
from sandbox.drills.outcome import Trial, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.contract import ErrorCode, ReadingRow

RULE: Final = "drill"
"""The name of the rule that makes a condition what it is."""

STORED_ALL_THE_SAME: Final = 3
FOR_NOW: Final = frozenset({6, 7})
"""The codes of what passes by itself: queue full and throttling."""


class Telling(StrEnum):
    """What the condition's own answers tell the client."""

    ALL = "what became of the message"
    NOTHING = "nothing: none comes, or none that can be read"


class Retry(StrEnum):
    """What another call could change."""

    HELPS = "helps"
    IS_IN_VAIN = "is in vain"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition that a client is run under."""

    trial: Trial
    respond: Mapping[str, Any] | None = None
    """What a rule answers, as scenarios write it; None: there is no rule."""
    when: Mapping[str, Any] = field(default_factory=dict)
    submit: bool | None = None
    readings: Mapping[str, str] = field(default_factory=dict)
    form: Format | None = None
    """The form of answer that the client must ask for; None: whichever it asks for."""
    telling: Telling = Telling.ALL
    retry: Retry = Retry.HELPS
    retry_after_s: float | None = None
    """What Retry-After asks for."""
    impatience: Verdict = Verdict.FAILED
    """What it is when the client still waits for an answer at the end of its time."""

    def scenario(self) -> dict[str, Any]:
        """Return what the sandbox plays, as scenarios are written."""
        scenario: dict[str, Any] = {"name": "drill", "readings": dict(self.readings)}
        if self.respond is not None:
            rule: dict[str, Any] = {"name": RULE, "when": dict(self.when), "respond": dict(self.respond)}
            if self.submit is not None:
                rule["submit"] = self.submit
            scenario["rules"] = [rule]
        return scenario


# -- accepted -----------------------------------------------------------------------------------------------------

ACCEPTED: Final = Condition(
    Trial(
        "accepted",
        "success",
        "The message is accepted, and answered as the client asks.",
        "Call once, and end with exit code 0.",
        "An answer that says OK is the only proof that a message was accepted.",
    )
)


def _accepted(form: Format) -> Condition:
    return Condition(
        Trial(
            f"accepted-{form}",
            "success",
            f"The message is accepted, and the answer is {_SPELLED[form]}.",
            "Call once, and end with exit code 0.",
            ACCEPTED.trial.why,
        ),
        form=form,
    )


_SPELLED: Final = {Format.TEXT: "plain text", Format.JSON: "JSON", Format.XML: "XML"}


# -- refused ------------------------------------------------------------------------------------------------------


def _error(row: ErrorCode, form: Format) -> Condition:
    """Return the condition of one code: bare, or in the envelope of one form."""
    spelled = f"ERROR_{row.code}, {'bare' if form is Format.TEXT else f'in {_SPELLED[form]}'}"
    return Condition(
        Trial(
            f"error-{row.code}-{form}",
            "errors",
            f"{spelled}: {row.description}.",
            _advice(row.code),
            f'The reference advises: "{row.solution}" {_WHY_OF_FORM[form]}',
        ),
        respond={"error": row.code},
        readings={} if form is Format.TEXT else {"errors": "envelope"},
        form=None if form is Format.TEXT else form,
        retry=Retry.HELPS if row.code in {*FOR_NOW, STORED_ALL_THE_SAME} else Retry.IS_IN_VAIN,
    )


_WHY_OF_FORM: Final = {
    Format.TEXT: "An error is the bare text ERROR_XXX, whatever the responseType: the reference shows no other form.",
    Format.JSON: "The reference's samples also read errors out of the JSON that a success has (reading errors=envelope).",
    Format.XML: "A gateway may shape errors as it shapes a success (reading errors=envelope).",
}


def _advice(code: int) -> str:
    if code == STORED_ALL_THE_SAME:
        return "Take the message for accepted, with exit code 0, and do not send it again."
    if code in FOR_NOW:
        return "End with another exit code than 0, or wait a moment and call again."
    return "End with another exit code than 0, and do not call again: the answer would be the same."


# -- readings -----------------------------------------------------------------------------------------------------

_SHOWN_BY: Final = {"errors": (5,), "error_code": (5,), "error_http_status": (2, 5, 7, 9)}
"""The readings that only an error shows, and the codes that show all of it."""

_OF_REPORTS: Final = "reports"
"""The subject of readings that no answer to a client shows; the drill for receivers tries them."""


def _readings(row: ReadingRow) -> Iterator[Condition]:
    for value in row.alternatives:
        name = f"reading-{row.id}-{re.sub('[^A-Za-z0-9]', '-', value)}"
        meaning = f"{row.id}={value}: {row.meaning[value]}"
        if row.id not in _SHOWN_BY:
            yield Condition(
                Trial(
                    name,
                    "readings",
                    f"{meaning}.",
                    "Send a message that is accepted under each reading, or see that it is refused.",
                    row.question,
                ),
                readings={row.id: value},
            )
        for code in _SHOWN_BY.get(row.id, ()):
            yield Condition(
                Trial(
                    f"{name}-error-{code}",
                    "readings",
                    f"ERROR_{code} under {meaning}.",
                    _advice(code),
                    row.question,
                ),
                respond={"error": code},
                readings={row.id: value},
                retry=Retry.HELPS if code in FOR_NOW else Retry.IS_IN_VAIN,
            )


# -- the transport ------------------------------------------------------------------------------------------------

_NOT_PROVEN: Final = (
    "Without a whole answer nothing is known: exit code 0 would say that the message was accepted, "
    "and it was not."
)
_LOST: Final = (
    "A lost answer looks like a lost request. Nothing here tells two messages from one sent twice, and the handset "
    "shows both: only a transactionId of the client's own, the same at each try, lets reports and people tell."
)
_PATIENCE: Final = (
    "A client without a timeout of its own for the whole exchange hangs as long as the other side likes."
)
_MAY_RETRY: Final = "End with another exit code than 0, or wait and call again."
_TEXT: Final = {"Content-Type": "text/plain"}


def _broken(name: str, title: str, should: str, why: str, **more: Any) -> Condition:
    return Condition(Trial(name, "transport", title, should, why), **{"telling": Telling.NOTHING, **more})


_TRANSPORT: Final = (
    _broken(
        "reset",
        "The connection is reset before any answer.",
        _MAY_RETRY,
        _NOT_PROVEN,
        respond={"fault": "reset"},
    ),
    _broken(
        "truncated",
        "Half of an answer, then the end.",
        _MAY_RETRY,
        _NOT_PROVEN,
        respond={"fault": "truncate"},
    ),
    _broken("empty", "HTTP 200 without a body.", _MAY_RETRY, _NOT_PROVEN, respond={"fault": "empty"}),
    _broken("garbage", "Octets that are not HTTP.", _MAY_RETRY, _NOT_PROVEN, respond={"fault": "garbage"}),
    _broken(
        "html",
        "HTTP 200 with a page of HTML, as from a proxy or during maintenance.",
        _MAY_RETRY,
        _NOT_PROVEN,
        respond={
            "status": 200,
            "headers": {"Content-Type": "text/html"},
            "body": "<html><body><h1>We will be back soon</h1><p>OK</p></body></html>",
        },
    ),
    _broken(
        "hang",
        "No answer, on a connection that stays open.",
        "Give up within a time of its own, with another exit code than 0, or call again.",
        _PATIENCE,
        respond={"fault": "hang"},
    ),
    _broken(
        "drip",
        "The answer comes at one octet a second.",
        "Wait for it, or give up within a time of its own without sending the message again.",
        _PATIENCE,
        respond={"fault": "drip"},
        submit=True,
        telling=Telling.ALL,
        impatience=Verdict.DOUBTFUL,
    ),
    _broken(
        "slow",
        "The answer takes 5 seconds.",
        "Wait for it, call once, and end with exit code 0.",
        "An answer may take some seconds on a busy day. Who gives up sooner has sent a message and does not know it.",
        respond={"delay": "5s"},
        telling=Telling.ALL,
    ),
    _broken(
        "very-slow",
        "The answer takes 20 seconds.",
        "Wait for it, or give up without sending the message again.",
        _LOST,
        respond={"delay": "20s"},
        telling=Telling.ALL,
        impatience=Verdict.DOUBTFUL,
    ),
    _broken(
        "answer-lost",
        "The message is accepted, and the connection is reset before the answer; so at each call.",
        "Take the outcome for unknown: do not send the message again, or send it with the same transactionId.",
        _LOST,
        respond={"fault": "reset"},
        submit=True,
    ),
    _broken(
        "answer-lost-once",
        "The message is accepted, and its first answer is lost; then all is well.",
        "Take the outcome for unknown: do not send the message again, or send it with the same transactionId.",
        _LOST,
        respond={"fault": "reset"},
        when={"nth": [1]},
        submit=True,
    ),
    _broken(
        "http-500",
        "HTTP 500.",
        _MAY_RETRY,
        _NOT_PROVEN,
        respond={"status": 500, "headers": _TEXT, "body": "Internal Server Error"},
    ),
    _broken(
        "http-500-twice",
        "HTTP 500 twice, then all is well.",
        "Wait and call again, or end with another exit code than 0.",
        "What fails once may work a moment later.",
        respond={"status": 500, "headers": _TEXT, "body": "Internal Server Error"},
        when={"nth": [1, 2]},
    ),
    _broken(
        "http-503",
        "HTTP 503 with Retry-After: 2.",
        "Wait two seconds and call again, or end with another exit code than 0.",
        "Retry-After says when it is worth trying (RFC 9110 10.2.3); who calls sooner keeps the server down.",
        respond={"status": 503, "headers": {**_TEXT, "Retry-After": "2"}, "body": "Service Unavailable"},
        retry_after_s=2,
    ),
    _broken(
        "http-429",
        "HTTP 429 with Retry-After: 1.",
        "Wait a second and call again, or end with another exit code than 0.",
        "Who calls sooner than Retry-After says is throttled for longer (RFC 6585 4).",
        respond={"status": 429, "headers": {**_TEXT, "Retry-After": "1"}, "body": "Too Many Requests"},
        retry_after_s=1,
    ),
)


def conditions() -> tuple[Condition, ...]:
    """Return all conditions, in the order in which they are told."""
    return (
        ACCEPTED,
        *map(_accepted, Format),
        *(_error(row, form) for form in Format for row in error_codes()),
        *(condition for row in reading_rows() if row.subject != _OF_REPORTS for condition in _readings(row)),
        *_TRANSPORT,
    )
