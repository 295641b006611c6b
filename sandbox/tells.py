"""Which reading of each open question a server appears to follow, told from its answers alone.

Asks what ``contract/tells.yaml`` says. Knows nothing of how a request is sent, or of who shows what was found.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sandbox.contract import CONTRACT, load_yaml, reading_rows
from sandbox.core.spelling import excerpt
from sandbox.exchanges import BODIES, Account, Request, request_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from sandbox.contract import ReadingRow
    from sandbox.examples import Answer

ABOUT_THE_ACCOUNT: Final = frozenset({1, 2, 3, 6, 7, 9, 11, 15})
"""Error codes that say something of the account, its credits or its limits, and nothing of how a request is read."""


class Seen(NamedTuple):
    """What an answer says, in whichever of the API's forms."""

    status: int
    """Of HTTP."""
    form: str
    """``text``, ``json`` or ``xml``."""
    accepted: bool
    id: str | None = None
    """The transaction id of a message that was accepted."""
    error: int | None = None
    code: str | None = None
    """The error code as it is spelled: ``005``."""

    @property
    def text(self) -> str:
        """What it says, for people: ``ERROR_005 as json, HTTP 400``."""
        said = "accepted" if self.accepted else f"ERROR_{self.code}" if self.code else "no answer of the API"
        return f"{said} as {self.form}" + ("" if self.status == 200 else f", HTTP {self.status}")


def seen(answer: Answer) -> Seen:
    """Return what an answer says."""
    body = answer.body.decode("utf-8", "backslashreplace").strip()
    said, form = _status(body)
    found = re.fullmatch("ERROR_([0-9]{1,9})", said)
    if found:
        return Seen(answer.status, form, accepted=False, error=int(found[1]), code=found[1])
    if form == "text":
        accepted = said.startswith("OK_")
        return Seen(answer.status, form, accepted=accepted, id=said[3:] if accepted else None)
    return Seen(answer.status, form, accepted=said == "OK", id=_id(body))


def _status(body: str) -> tuple[str, str]:
    """Return the status in an answer, and the form that it has: ``("ERROR_5", "json")``."""
    if body.startswith("{"):
        return _member(body, "status") or "", "json"
    if found := re.search("<status>([^<]*)</status>", body):
        return found[1], "xml"
    return body, "text"


def _id(body: str) -> str | None:
    return _member(body, "transactionId") if body.startswith("{") else None


def _member(body: str, name: str) -> str | None:
    try:
        value = json.loads(body)["response"][name]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, and what its answer is by each value that it speaks of."""

    kind: str
    """How it is written: ``query``, ``form``, ``json`` or ``multipart``."""
    parameters: Mapping[str, Any]
    expected: Mapping[str, Mapping[str, Any]]

    def request(self, account: Account, now: datetime) -> Request:
        """Return it, of this account and at this moment."""
        own = {name: _filled(value, account, now) for name, value in self.parameters.items()}
        base = {"user": account.user, "apiKey": account.api_key, "to": account.to, "message": "Hello"}
        return request_of({self.kind: {**base, **own}}, "tells.yaml")

    @property
    def text(self) -> str:
        """What it tries, for people: ``senderId in a form``."""
        names = " and ".join(self.parameters) or "a plain message"
        return f"{names} in a {_WRITTEN.get(self.kind, self.kind)}"

    def is_accepted(self, value: str) -> bool:
        """Say whether a server that follows *value* takes the message, which costs a credit."""
        return not {"error", "code"} & self.expected.get(value, {"error": None}).keys()


@dataclass(frozen=True, slots=True)
class Tell:
    """How a reading is told; without *asks* it is not, and *untold* says why."""

    row: ReadingRow
    asks: tuple[Ask, ...] = ()
    untold: str | None = None


@cache
def tells() -> tuple[Tell, ...]:
    """Return how each reading is told, in the order of readings.yaml."""
    nodes = {node["reading"]: node for node in load_yaml(CONTRACT / "tells.yaml")}
    return tuple(
        Tell(row, tuple(map(_ask, nodes[row.id].get("asks", ()))), nodes[row.id].get("untold"))
        for row in reading_rows()
    )


def _ask(node: dict[str, Any]) -> Ask:
    (kind,) = node.keys() & BODIES.keys() | node.keys() & {"query"}
    return Ask(kind, node[kind], node["seen"])


def _filled(value: Any, account: Account, now: datetime) -> Any:
    if isinstance(value, dict) and "recipient" in value:
        digits = account.to.removeprefix("+")
        spaced = f"+{digits[:1]} {digits[1:4]} {digits[4:]}"
        return {"digits": digits, "spaced": spaced, "encoded": f"%2B{digits}"}[value["recipient"]]
    if isinstance(value, dict) and "local" in value:
        moment = now + timedelta(minutes=value["minutes"])
        return moment.astimezone(ZoneInfo(value["local"])).strftime("%Y-%m-%dT%H:%M:%S")
    return value


_WRITTEN: Final = {"json": "JSON body", "multipart": "multipart body"}

PLAIN: Final = Ask("form", {}, {})
"""What every server takes: asked first, as nothing can be told of one that refuses it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out about a reading."""

    row: ReadingRow
    follows: str | None = None
    """The value that the server appears to follow; None where none is told."""
    why: str | None = None
    """Why none is told."""
    is_neither: bool = False
    """Whether it answers as by none of the values."""

    @property
    def line(self) -> str:
        """How the command ``contract`` shows it."""
        return f"reading  {self.row.id}: {self.text}"

    @property
    def text(self) -> str:
        """It without the name."""
        if self.follows is None:
            return f"{'neither' if self.is_neither else 'cannot be told from outside'}: {self.why}"
        also = "" if self.follows == self.row.default else f", not {self.row.default}"
        return f"appears to follow {self.follows}{also}: {self.row.meaning[self.follows]}"


def find_out(
    asked: Callable[[Request], Seen | str], account: Account, now: Callable[[], datetime]
) -> Iterable[Found]:
    """Ask a server, and yield what is found out about each reading.

    Args:
        asked: sends a request; gives what the answer says, or why there is none.
        account: whose messages they are, and to whom.
        now: what time it is for the server.
    """
    plain = asked(PLAIN.request(account, now()))
    for tell in tells():
        if tell.untold is not None:
            yield Found(tell.row, why=tell.untold)
        elif isinstance(plain, str) or not plain.accepted:
            yield Found(
                tell.row, why=f"a plain message gets {plain if isinstance(plain, str) else plain.text}"
            )
        else:
            yield _find_out(tell, asked, account, now)


def _find_out(
    tell: Tell, asked: Callable[[Request], Seen | str], account: Account, now: Callable[[], datetime]
) -> Found:
    left = list(tell.row.values)
    for ask in tell.asks:
        if ask.expected.keys().isdisjoint(left):
            continue
        what = asked(ask.request(account, now()))
        if isinstance(what, str):
            return Found(tell.row, why=f"{ask.text} gets {what}")
        fits = [value for value in left if _fits(what, ask.expected.get(value, {}))]
        if not fits:
            is_told = what.accepted or (what.error is not None and what.error not in ABOUT_THE_ACCOUNT)
            return Found(tell.row, why=f"{ask.text} gets {excerpt(what.text, 80)}", is_neither=is_told)
        left = fits
    return Found(tell.row, follows=left[0])


def _fits(what: Seen, expected: Mapping[str, Any]) -> bool:
    return all(getattr(what, name) == value for name, value in expected.items())
