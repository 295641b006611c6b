"""Messages: listed, one, waited for, forgotten, and reported by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.responses import JSONResponse

from sandbox.core.model import Status
from sandbox.core.times import rfc3339_exact
from sandbox.errors import NotFoundError
from sandbox.feed import Kind
from sandbox.web.control.operation import Answer, Operation
from sandbox.web.control.pages import MAX_LIMIT, page, page_query
from sandbox.web.control.schemas import COUNT, MOMENT_OR_NULL, listed, members, ref
from sandbox.web.ids import number_of
from sandbox.web.problems import ConflictError
from sandbox.web.records import callback_json, message_json, status_at
from sandbox.yaml_scalars import Duration, Integer, Text
from sandbox.yaml_shapes import Keys, is_null

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.core.model import Message
    from sandbox.engine import Engine
    from sandbox.web.control.operation import Asked
    from sandbox.yaml_nodes import Node
    from sandbox.yaml_shapes import Bad, Notes, Schema, Shape

WAIT_S: Final = 5.0
"""How long is waited where nobody says."""

_FILTERS: Final[Mapping[str, Callable[[Message, str, Engine], bool]]] = {
    "to": lambda message, value, _: message.submission.destination == value,
    "user": lambda message, value, _: message.submission.user == value,
    "senderId": lambda message, value, _: message.submission.sender_id == value,
    "transactionId": lambda message, value, _: message.transaction_id == value,
    "status": lambda message, value, engine: status_at(message, engine.clock.now()) == value,
    "text": lambda message, value, _: value in (message.submission.encoded.text or ""),
}

FILTERS: Final[Mapping[str, Shape[Any]]] = dict.fromkeys(_FILTERS, Text(may_be_empty=True))
"""The query parameters that messages are chosen by; ``text`` is a part of the text, the others match exactly."""


class Choice(NamedTuple):
    """Which messages are asked for."""

    engine: Engine
    wanted: Mapping[str, str]
    """What was given of the filters."""

    @classmethod
    def of(cls, asked: Asked) -> Choice:
        """Return what a query chooses."""
        return cls(asked.engine, {name: asked.query[name] for name in _FILTERS if name in asked.query})

    def takes(self, message: Message) -> bool:
        """Say whether the filters let *message* pass."""
        return all(_FILTERS[name](message, value, self.engine) for name, value in self.wanted.items())

    def messages(self) -> Iterator[Message]:
        """Yield the messages that the filters let pass, newest first."""
        return filter(self.takes, self.engine.store.messages())


def shown(engine: Engine, message: Message) -> dict[str, Any]:
    """Return a message as it is now."""
    return message_json(message, readings=engine.readings, now=engine.clock.now())


def found(asked: Asked) -> Message:
    """Return the message that the path names; ``latest`` is the newest that the filters let pass.

    Raises:
        NotFoundError: there is none.
    """
    wanted = asked.path["id"]
    if wanted == "latest":
        message = next(Choice.of(asked).messages(), None)
        if message is None:
            raise NotFoundError("no message matches" if asked.query else "there are no messages yet")
        return message
    message = asked.engine.store.message(number_of(wanted, "m"))
    if message is None:
        raise NotFoundError(f"there is no message {wanted}: GET messages lists those that are kept")
    return message


async def messages(asked: Asked) -> JSONResponse:
    """List the messages that the filters let pass, newest first."""
    choice = Choice.of(asked)
    all_of_them = None if choice.wanted else asked.engine.store.counts()["messages"]
    records, total, following = page(choice.messages(), asked.query, "m", total=all_of_them)
    return JSONResponse(
        {"messages": [shown(asked.engine, each) for each in records], "total": total, "next": following}
    )


async def delete_messages(asked: Asked) -> JSONResponse:
    """Forget all messages, with their requests and callbacks; refused requests too."""
    engine = asked.engine
    deleted = engine.store.counts()["messages"]
    await engine.forget_messages()
    engine.feed.tell(Kind.CLOCK)  # nothing is due any more
    return JSONResponse({"deleted": deleted})


async def wait(asked: Asked) -> JSONResponse:
    """Answer as soon as so many messages match, one unless `count` says otherwise; 409 when they do not in time."""
    choice, engine = Choice.of(asked), asked.engine
    count, timeout_s = asked.query.get("count", 1), asked.query.get("timeout", WAIT_S)
    matching = {each.number for each in choice.messages()}

    def hear(kind: Kind, record: Any) -> None:
        # Each message is looked at when it changes: looking at all of them each time would hold up the endpoint.
        if kind is Kind.MESSAGE and choice.takes(record):
            matching.add(record.number)
        elif kind is Kind.MESSAGE:
            matching.discard(record.number)
        elif kind is Kind.CLOCK and choice.wanted.get("status") == Status.PENDING:
            # A scheduled message becomes it when its time comes, without anybody saying so.
            matching.update(each.number for each in choice.messages())

    def enough() -> list[Message] | None:
        if len(matching) < count:
            return None
        there = list(choice.messages())  # some may have gone meanwhile
        matching.intersection_update(each.number for each in there)
        return there if len(there) >= count else None

    with engine.feed.told_to(hear):
        there = await asked.within(timeout_s, engine.feed.until(enough))
    if there is None:
        there = list(choice.messages())  # likewise, on a running clock
    if len(there) < count:
        raise _waited_in_vain(choice, len(there), count, timeout_s)
    return JSONResponse(
        {"messages": [shown(engine, each) for each in there[:MAX_LIMIT]], "total": len(there)}
    )


def _waited_in_vain(choice: Choice, matched: int, count: int, timeout_s: float) -> ConflictError:
    """Return what says how far it got, and what would happen next."""
    engine = choice.engine
    others = choice._replace(wanted={name: each for name, each in choice.wanted.items() if name != "status"})
    near = list(others.messages())
    due_at = engine.agenda.next_due_at
    until = "before the session or the server ended" if engine.feed.is_over else f"within {timeout_s:g} s"
    what = f"{matched} of {count} messages matched {until}"
    if due_at is None:
        then = "nothing more is due"
    elif engine.clock.mode == "virtual":
        then = f"next is due {rfc3339_exact(due_at)}: POST clock/advance gets there"
    else:
        then = f"next is due {rfc3339_exact(due_at)}"
    return ConflictError(
        f"{what}; {then}",
        matched=matched,
        messages=[shown(engine, each) for each in near[:100]],
        total=len(near),
        nextDue=None if due_at is None else rfc3339_exact(due_at),
    )


async def message(asked: Asked) -> JSONResponse:
    """Show one message; `latest` is the newest that the filters let pass."""
    return JSONResponse(shown(asked.engine, found(asked)))


async def report(asked: Asked) -> JSONResponse:
    """Let a message have a status now, and report it; a final one ends what was planned."""
    message = found(asked)
    status, code = asked.body
    if message.submission.callback_url is None:
        why = (
            message.submission.unreported
            or "neither the request, its account nor the server names a callback URL"
        )
        raise ConflictError(f"no report of m{message.number} can be sent: {why}")
    callback = asked.engine.timelines.report_by_hand(message, status, code)
    return JSONResponse(callback_json(callback), status_code=201)


class _ErrorCode(NamedTuple):
    """An error code, or null for none."""

    code: Integer = Integer(0, 999)

    def read(self, node: Node, notes: Notes) -> int | Bad | None:
        """Return the code, None for null."""
        return None if is_null(node) else self.code.read(node, notes)

    def schema(self, defs: Schema) -> Schema:
        """Return the JSON Schema of such codes."""
        return {"anyOf": [self.code.schema(defs), {"type": "null"}]}


_REPORT: Final = Keys(
    "handReport",
    {"status": Text(), "errorCode": _ErrorCode()},
    lambda written, _: (written.get("status"), written.get("errorCode")),
    required=("status",),
)

_WAITED_IN_VAIN: Final = members(
    matched=COUNT, messages=listed(ref("Message")), total=COUNT, nextDue=MOMENT_OR_NULL
)

OPERATIONS: Final = (
    Operation(
        "GET",
        "/messages",
        messages,
        {200: Answer("A page of them.", ref("Messages"))},
        query={**FILTERS, **page_query("m")},
    ),
    Operation(
        "DELETE",
        "/messages",
        delete_messages,
        {200: Answer("How many there were.", members(deleted=COUNT))},
    ),
    Operation(
        "GET",
        "/messages/wait",
        wait,
        {
            200: Answer(
                "They are there; the newest 1000 of them.",
                members(messages=listed(ref("Message")), total=COUNT),
            ),
            409: Answer(
                "They are not: what there is whatever its status, and when something is due next.",
                _WAITED_IN_VAIN,
            ),
        },
        query={**FILTERS, "count": Integer(0, 1_000_000), "timeout": Duration()},
    ),
    Operation(
        "GET", "/messages/{id}", message, {200: Answer("The whole record.", ref("Message"))}, query=FILTERS
    ),
    Operation(
        "POST",
        "/messages/{id}/reports",
        report,
        {201: Answer("The callback that carries it.", ref("Callback"))},
        query=FILTERS,
        body=_REPORT,
    ),
)
