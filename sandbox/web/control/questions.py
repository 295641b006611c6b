"""Questions about requests: what would become of one, and whether some came as expected."""

from __future__ import annotations

from heapq import nsmallest
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.responses import JSONResponse

from sandbox.core.match import PARAMETERS, Facts, When, conditions, misses
from sandbox.core.model import Message
from sandbox.core.udh import FLASH
from sandbox.explain import explain as explained
from sandbox.web.control.messages import shown
from sandbox.web.control.operation import Answer, Operation
from sandbox.web.control.pages import MAX_LIMIT
from sandbox.web.control.schemas import COUNT, OBJECT, TEXT, TEXTS, listed, members, ref
from sandbox.web.problems import BodyError, ConflictError
from sandbox.web.records import request_json
from sandbox.web.wire import BODY_LIMIT, read_call
from sandbox.when_shape import WHEN
from sandbox.yaml_nodes import Pairs, Scalar
from sandbox.yaml_scalars import Integer, Word
from sandbox.yaml_shapes import BAD, Keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.core.model import RequestRecord
    from sandbox.engine import Engine
    from sandbox.store import Store
    from sandbox.web.control.operation import Asked
    from sandbox.yaml_nodes import Node
    from sandbox.yaml_shapes import Bad, Notes, Schema, Written

NEAREST: Final = 5
"""How many are shown that came near."""


# -- explain ---------------------------------------------------------------------------------------


async def explain(asked: Asked) -> JSONResponse:
    """Say what would become of a request with these parameters, posted as JSON; nothing is stored or counted."""
    octets, engine = asked.body, asked.engine
    is_too_large = len(octets) > BODY_LIMIT
    read = b"{}" if is_too_large or not octets.strip() else octets
    call = read_call("POST", "/sendMtSms.php", b"", "application/json", read, engine.readings)
    if call.unreadable_body is not None:
        raise BodyError(call.unreadable_body)
    return JSONResponse(explained(engine, call._replace(too_large=is_too_large)).to_json())


class _Parameters(NamedTuple):
    """The parameters of a request; as the endpoint has it, anything can be sent."""

    def read(self, _: Node, __: Notes) -> Bad:  # the endpoint's own reader does it
        """Read nothing."""
        return BAD

    def schema(self, _: Schema) -> Schema:
        """Return the JSON Schema of a request."""
        return {"type": "object", "properties": {name: {} for name in PARAMETERS}}


# -- verify ----------------------------------------------------------------------------------------

_WHEN_TRIED: Final = ("state", "nth", "every", "per", "probability")


_ABOUT_REQUESTS: Final = Keys(
    "match", {key: shape for key, shape in WHEN.shapes.items() if key not in _WHEN_TRIED}, WHEN.make
)


class _Match(NamedTuple):
    """A rule's ``when``, as far as it is about the request itself."""

    def read(self, node: Node, notes: Notes) -> When | Bad:
        """Return the conditions; note those that only a rule can have."""
        if not isinstance(node, Pairs):
            return _ABOUT_REQUESTS.read(node, notes)
        asked = Pairs(node.line, node.column)
        for key, value in node.pairs:
            if isinstance(key, Scalar) and key.text in _WHEN_TRIED:
                notes.add(
                    key,
                    f"{key.text} hangs on when a rule is tried, and cannot be asked of requests that were made: "
                    "leave it out",
                )
            else:
                asked.pairs.append((key, value))
        return _ABOUT_REQUESTS.read(asked, notes)

    def schema(self, defs: Schema) -> Schema:
        """Return the JSON Schema of the conditions."""
        return _ABOUT_REQUESTS.schema(defs)


class _Bounds(NamedTuple):
    """How many are expected."""

    low: int
    high: float
    written: Mapping[str, int]
    """As they were asked for: ``{"atLeast": 1}``."""

    def __str__(self) -> str:
        return " and ".join(f"{_WORDS[name]} {bound}" for name, bound in self.written.items())


_WORDS: Final = {"exactly": "exactly", "atLeast": "at least", "atMost": "at most"}
_ONE: Final = _Bounds(1, inf, {"atLeast": 1})


def _bounds(written: Written, notes: Notes) -> _Bounds | Bad:
    exactly = written.get("exactly")
    low, high = (
        written.get("atLeast", exactly or 0),
        written.get("atMost", inf if exactly is None else exactly),
    )
    if low > high:
        return notes.add(written.nodes["atMost"], "atMost is less than atLeast: nothing can be both")
    return _Bounds(low, high, written.values)


class _Expected(NamedTuple):
    """What is expected to have come."""

    when: When
    bounds: _Bounds
    of: str


_COUNT: Final = Integer(0, 1_000_000_000)
_VERIFY: Final = Keys(
    "verification",
    {
        "match": _Match(),
        "count": Keys(
            "expectedCount",
            {"exactly": _COUNT, "atLeast": _COUNT, "atMost": _COUNT},
            _bounds,
            exclusive=(("exactly", "atLeast"), ("exactly", "atMost")),
            least=1,
        ),
        "of": Word(("messages", "requests")),
    },
    lambda written, _: _Expected(
        written.get("match"), written.get("count", _ONE), written.get("of", "messages")
    ),
    required=("match",),
)


async def verify(asked: Asked) -> JSONResponse:
    """Say whether as many messages came as expected, or with `"of": "requests"` as many calls, refused ones too."""
    engine = asked.engine
    expected: _Expected = asked.body
    tests = conditions(expected.when)
    matched, others = [], []
    for record, facts in _candidates(engine.store, expected.of):
        missed = sum(1 for test in tests if not test(facts))
        if missed:
            others.append((missed, record, facts))
        else:
            matched.append(record)
    prefix = expected.of[0]
    ids = [f"{prefix}{record.number}" for record in matched[:MAX_LIMIT]]
    bounds = expected.bounds
    if bounds.low <= len(matched) <= bounds.high:
        return JSONResponse({"matched": len(matched), "ids": ids})
    near = nsmallest(NEAREST, others, key=lambda other: other[0]) if len(matched) < bounds.low else []
    raise ConflictError(
        f"{len(matched)} of {len(matched) + len(others)} {expected.of} match, expected: {bounds}",
        matched=len(matched),
        ids=ids,
        expected=dict(bounds.written),
        nearest=[
            {**_record_json(engine, record), "misses": list(misses(expected.when, facts))}
            for _, record, facts in near
        ],
    )


def _candidates(store: Store, of: str) -> Iterator[tuple[Message | RequestRecord, Facts]]:
    """Yield what is counted, newest first, each with what a rule would see of it."""
    if of == "messages":
        for message in store.messages():
            record = store.request(message.request_number)
            if record is not None:
                yield message, _facts(record, message)
    else:
        for record in store.requests():
            yield record, _facts(record, store.message(record.message_number or 0))


def _facts(record: RequestRecord, message: Message | None) -> Facts:
    call = record.call
    if message is None:
        is_flash = call.parameters.get("udh") == FLASH.hex()
        return Facts(call.method, call.parameters, is_flash)
    udh, submission = message.submission.udh, message.submission
    is_flash = udh is not None and udh.is_flash
    return Facts(call.method, call.parameters, is_flash, submission.destination, submission.encoded.text)


def _record_json(engine: Engine, record: Message | RequestRecord) -> Mapping[str, Any]:
    return shown(engine, record) if isinstance(record, Message) else request_json(record)


_NEAREST: Final = listed(
    {**OBJECT, "properties": {"id": TEXT, "misses": TEXTS}, "required": ["id", "misses"]}
)

OPERATIONS: Final = (
    Operation(
        "POST",
        "/explain",
        explain,
        {200: Answer("Each check, each rule, the answer, and what follows.", ref("Explanation"))},
        body=_Parameters(),
        has_raw_body=True,
    ),
    Operation(
        "POST",
        "/verify",
        verify,
        {
            200: Answer("As many: the ids of the newest 1000 of them.", members(matched=COUNT, ids=TEXTS)),
            409: Answer(
                "Not as many: how many there are, and the records that came nearest with all that each missed by.",
                members(matched=COUNT, ids=TEXTS, expected=OBJECT, nearest=_NEAREST),
            ),
        },
        body=_VERIFY,
    ),
)
