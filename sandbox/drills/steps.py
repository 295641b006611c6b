"""The steps of a drill for a receiver of reports: what it is sent, what it should make of that, and why.

A table; nothing here sends anything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sandbox.core.model import Status
from sandbox.core.statuses import FINAL
from sandbox.drills.outcome import Trial, Verdict
from sandbox.drills.post import Manner
from sandbox.drills.reports import Signed, Wanted

if TYPE_CHECKING:
    from collections.abc import Collection


class Answers(StrEnum):
    """What a receiver may answer."""

    TAKEN = "2xx"
    RATHER_TAKEN = "2xx, or 4xx to have it again later"
    NOT_BROKEN = "2xx or 4xx"
    REFUSED = "4xx"
    ANY = "anything"

    def judge(self, status: int | None) -> Verdict:
        """Return what to make of an HTTP status; of None, where there was no answer."""
        if self is Answers.ANY:
            return Verdict.OK
        if status is None or not (200 <= status < 300 or 400 <= status < 500):
            return Verdict.FAILED
        if status < 300:
            return Verdict.FAILED if self is Answers.REFUSED else Verdict.OK
        return _OF_4XX[self]


_OF_4XX: Final = {
    Answers.TAKEN: Verdict.FAILED,
    Answers.RATHER_TAKEN: Verdict.DOUBTFUL,
    Answers.NOT_BROKEN: Verdict.OK,
    Answers.REFUSED: Verdict.OK,
}


@dataclass(frozen=True, slots=True)
class Sending:
    """One report of a step, and what is right after it."""

    what: str
    """In words: ``delivered, once more``."""
    wanted: Wanted = Wanted(Status.DELIVERED)  # noqa: RUF009 - frozen
    answers: Answers = Answers.TAKEN
    manner: Manner = Manner.WHOLE
    signed: Signed = Signed.WELL
    holds: str | None = None
    """The status that the receiver must hold then."""
    holds_none_of: Collection[str] = ()
    """Statuses that it must not hold then."""
    is_strange: bool = False
    """Whether it is about a message that the receiver can know nothing of."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: reports about one message, in this order."""

    trial: Trial
    sendings: tuple[Sending, ...]
    is_known_before: bool = True
    """Whether the receiver is told of the message before its first report, where it can be; else after it."""
    needs_secret: bool = False
    at_worst: Verdict = Verdict.FAILED
    """What a fault amounts to: where the reference leaves open what is sent, it is doubtful only."""


# -- the reasons --------------------------------------------------------------------------------------------------

TAKEN_WHY: Final = (
    "Any 2xx within the timeout is success. Anything else is tried again after 1 s, 5 s, 30 s, 2 min and 10 min, "
    "then the report is given up and the status never arrives."
)
AT_LEAST_ONCE_WHY: Final = (
    "Reports come at least once: when an answer is lost, the same body comes again, with the same webhook-id where "
    "reports are signed."
)
FINAL_WHY: Final = (
    "delivered, expired, deleted, undeliverable, unknown and rejected are final: nothing comes after them. Networks "
    "report out of order all the same, so a receiver keeps a final status whatever arrives later."
)
ORDER_WHY: Final = (
    "Reports of a message wait for each other: while one is tried again, the next is not sent. A receiver that "
    "refuses what it does not know holds up what it does."
)
BROKEN_WHY: Final = (
    "A body that no receiver can read is the sender's fault, and it is the same at each retry. A 5xx or a dropped "
    "connection says that the receiver has a fault of its own; a report that cannot be read must change no status."
)
SIGNED_WHY: Final = (
    "Anybody who finds the URL can post to it. By the Standard Webhooks specification a receiver checks the signature "
    "over id, timestamp and body before it reads the body, refuses a timestamp that is minutes off, and answers 4xx."
)

# Not unknown: that is also what a check may print of a message that the receiver does not know.
_ENDS: Final = FINAL - {Status.UNKNOWN}
_TAKES_DELIVERED: Final = Sending(
    "delivered, as it should be", Wanted(Status.DELIVERED, number=9), holds=Status.DELIVERED
)


def _half(body: str) -> str:
    return body[: len(body) // 2]


def _without_status(body: str) -> str:
    return json.dumps({name: value for name, value in json.loads(body).items() if name != "status"})


def _of_wrong_types(body: str) -> str:
    return json.dumps({**json.loads(body), "status": ["delivered"], "errorCode": {"code": 11}})


def _final(status: Status, error_code: int | None = None) -> Step:
    return Step(
        Trial(
            f"final-{status}",
            "reports",
            f"A message that ends {status}.",
            f"Answer 2xx, and hold {status}.",
            TAKEN_WHY,
        ),
        (Sending(f"{status}", Wanted(status, error_code=error_code), holds=status),),
    )


def _forgery(name: str, title: str, sending: str, signed: Signed) -> Step:
    return Step(
        Trial(
            name,
            "signatures",
            title,
            "Answer 4xx and change nothing; then take the report that is signed well, although it has the same id.",
            SIGNED_WHY,
        ),
        (
            Sending(sending, answers=Answers.REFUSED, signed=signed, holds_none_of=_ENDS),
            Sending("delivered, signed well", holds=Status.DELIVERED),
        ),
        needs_secret=True,
    )


def _reading(name: str, title: str, should: str, wanted: Wanted) -> Step:
    return Step(
        Trial(
            name,
            "readings",
            title,
            should,
            "The API reference leaves open how this is spelled, so production may do it in either way.",
        ),
        (Sending(f"{wanted.status}, spelled so", wanted, holds=wanted.status),),
        at_worst=Verdict.DOUBTFUL,
    )


STEPS: Final = (
    # -- reports as they usually come
    Step(
        Trial("normal", "reports", "A report of delivery.", "Answer 2xx, and hold delivered.", TAKEN_WHY),
        (Sending("delivered", holds=Status.DELIVERED),),
    ),
    Step(
        Trial(
            "every-change",
            "reports",
            "Each change of a message's status, in order.",
            "Answer 2xx to each, and hold delivered at the end.",
            "When a message's status changes, a report is sent: accepted and enroute come before a final status.",
        ),
        (
            Sending("accepted", Wanted(Status.ACCEPTED), holds_none_of=_ENDS),
            Sending("enroute", Wanted(Status.ENROUTE), holds_none_of=_ENDS),
            Sending("delivered", holds=Status.DELIVERED),
        ),
    ),
    _final(Status.UNDELIVERABLE, error_code=11),
    _final(Status.EXPIRED),
    _final(Status.DELETED),
    _final(Status.REJECTED),
    _final(Status.UNKNOWN),
    # -- reports that come otherwise
    Step(
        Trial(
            "duplicate",
            "order",
            "The same report again, and once more in a callback of its own.",
            "Answer 2xx each time, and hold delivered: count nothing twice.",
            AT_LEAST_ONCE_WHY,
        ),
        (
            Sending("delivered", holds=Status.DELIVERED),
            Sending("delivered, the same octets again", holds=Status.DELIVERED),
            Sending(
                "delivered, in another callback", Wanted(Status.DELIVERED, number=2), holds=Status.DELIVERED
            ),
        ),
    ),
    Step(
        Trial(
            "reordered",
            "order",
            "delivered comes first, then accepted and enroute, which are older.",
            "Answer 2xx to each, and hold delivered all the while.",
            FINAL_WHY,
        ),
        (
            Sending("delivered", holds=Status.DELIVERED),
            Sending(
                "accepted, two seconds old",
                Wanted(Status.ACCEPTED, age=timedelta(seconds=2)),
                holds=Status.DELIVERED,
            ),
            Sending(
                "enroute, one second old",
                Wanted(Status.ENROUTE, age=timedelta(seconds=1)),
                holds=Status.DELIVERED,
            ),
        ),
    ),
    Step(
        Trial(
            "early",
            "order",
            "The report comes before the sender can know the message's id.",
            "Answer 2xx and keep the report until the message turns up, or 4xx so that it comes again; then hold delivered.",
            "A report can be under way while the answer to the message still is: who sends it is not who waits for "
            "that answer.",
        ),
        (Sending("delivered", answers=Answers.RATHER_TAKEN, holds=Status.DELIVERED),),
        is_known_before=False,
    ),
    Step(
        Trial(
            "late",
            "order",
            "The report of a change three days ago.",
            "Answer 2xx, and hold delivered.",
            "A message lives 48 hours unless it says otherwise, a scheduled one begins at its scheduled time, and a "
            "report that failed is tried again: the timestamp is that of the change, however old.",
        ),
        (
            Sending(
                "delivered, three days old",
                Wanted(Status.DELIVERED, age=timedelta(days=3)),
                holds=Status.DELIVERED,
            ),
        ),
    ),
    Step(
        Trial(
            "retries",
            "order",
            "The answer does not get through, as when the receiver fails with a 500 after it has stored the report; so "
            "the report is tried again.",
            "Answer 2xx to the second attempt, and hold delivered once.",
            AT_LEAST_ONCE_WHY,
        ),
        (
            Sending("delivered", answers=Answers.ANY, manner=Manner.UNHEARD),
            Sending("delivered, the second attempt", holds=Status.DELIVERED),
        ),
    ),
    # -- what a receiver cannot know or read
    Step(
        Trial(
            "unknown-id",
            "surprises",
            "A report about a message that nobody here has sent.",
            "Answer 2xx, or 4xx to have it again; then take the next report.",
            "The account may be used elsewhere, or by a colleague. A 5xx says that the receiver is broken.",
        ),
        (
            Sending("delivered, of a strange message", answers=Answers.NOT_BROKEN, is_strange=True),
            _TAKES_DELIVERED,
        ),
    ),
    Step(
        Trial(
            "unknown-status",
            "surprises",
            "A status that stands in no list.",
            "Answer 2xx and take it for no final status; then take delivered.",
            ORDER_WHY,
        ),
        (
            Sending(
                "held_at_customs",
                Wanted("held_at_customs"),
                answers=Answers.RATHER_TAKEN,
                holds_none_of=_ENDS,
            ),
            _TAKES_DELIVERED,
        ),
    ),
    Step(
        Trial(
            "malformed-body",
            "surprises",
            "The first half of a report's JSON.",
            "Answer 4xx, or 2xx so that it does not come again; change nothing; then take the next report.",
            BROKEN_WHY,
        ),
        (
            Sending(
                "delivered, half of its body",
                Wanted(Status.DELIVERED, bend=_half),
                answers=Answers.NOT_BROKEN,
                holds_none_of=_ENDS,
            ),
            _TAKES_DELIVERED,
        ),
    ),
    Step(
        Trial(
            "wrong-shapes",
            "surprises",
            "Bodies that are JSON but no report, or nothing at all.",
            "Answer 4xx or 2xx to each and change nothing; then take the next report.",
            BROKEN_WHY,
        ),
        (
            *(
                Sending(
                    what,
                    Wanted(Status.DELIVERED, bend=bend, number=number),
                    answers=Answers.NOT_BROKEN,
                    holds_none_of=_ENDS,
                )
                for number, (what, bend) in enumerate(
                    (
                        ("an empty body", lambda _: ""),
                        ("null", lambda _: "null"),
                        ("a list", lambda body: f"[{body}]"),
                        ("a report without a status", _without_status),
                        ("a status that is a list", _of_wrong_types),
                    )
                )
            ),
            _TAKES_DELIVERED,
        ),
    ),
    # -- connections
    Step(
        Trial(
            "closed-in-the-body",
            "connections",
            "The connection closes in the middle of the body; then the report comes whole.",
            "Make nothing of the first, and take the second.",
            "A report is what its Content-Length says, and no less. Its attempt counts as failed and is made again.",
        ),
        (
            Sending(
                "delivered, the first half of the octets",
                answers=Answers.ANY,
                manner=Manner.BROKEN_OFF,
                holds_none_of=_ENDS,
            ),
            Sending("delivered, whole", holds=Status.DELIVERED),
        ),
    ),
    Step(
        Trial(
            "octet-by-octet",
            "connections",
            "The body comes one octet at a time.",
            "Wait for the whole of it, answer 2xx, and hold delivered.",
            "A network may cut a body anywhere: one read of a socket is not a request.",
        ),
        (Sending("delivered", manner=Manner.OCTET_BY_OCTET, holds=Status.DELIVERED),),
    ),
    # -- signatures
    Step(
        Trial(
            "signature",
            "signatures",
            "A report with a good signature.",
            "Answer 2xx, and hold delivered.",
            "Reports are signed by the Standard Webhooks specification when a secret is set.",
        ),
        (Sending("delivered, signed well", holds=Status.DELIVERED),),
        needs_secret=True,
    ),
    _forgery("signature-missing", "A report without a signature.", "delivered, unsigned", Signed.NOT_AT_ALL),
    _forgery(
        "signature-wrong",
        "A report that is signed with another secret.",
        "delivered, signed with another secret",
        Signed.WITH_ANOTHER_SECRET,
    ),
    _forgery(
        "signature-of-another-body",
        "A report whose body is not the one that was signed.",
        "delivered, its body changed",
        Signed.BEFORE_ITS_BODY_WAS_CHANGED,
    ),
    _forgery(
        "signature-stale",
        "A report that was signed ten minutes ago: a recording, played again.",
        "delivered, signed ten minutes ago",
        Signed.TEN_MINUTES_AGO,
    ),
    # -- other readings of the API reference
    _reading(
        "status-in-capitals",
        "A status in upper case (reading dlr_status_case=upper).",
        "Answer 2xx, and hold delivered.",
        Wanted(Status.DELIVERED, readings={"dlr_status_case": "upper"}),
    ),
    _reading(
        "error-code-as-text",
        "An errorCode that is a string (reading dlr_error_code=string).",
        "Answer 2xx, and hold undeliverable.",
        Wanted(Status.UNDELIVERABLE, error_code=11, readings={"dlr_error_code": "string"}),
    ),
    _reading(
        "older-callback",
        "The GET of the older wiki in place of a POST (reading dlr_format=wiki_get).",
        "Answer 2xx, and hold delivered.",
        Wanted(Status.DELIVERED, readings={"dlr_format": "wiki_get"}),
    ),
)
"""In the order in which they are taken."""
