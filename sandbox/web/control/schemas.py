"""What the control API answers with, as JSON Schema: each kind of record once, under its name.

`records.py` and the operations make what is described here; a test holds every record against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.core.coding import Coding
from sandbox.core.model import CallbackState
from sandbox.core.scenario import Fault
from sandbox.explain import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.yaml_shapes import Schema


def members(**schemas: Schema) -> Schema:
    """Return the schema of an object with all of these members, and no other."""
    return {
        "type": "object",
        "properties": schemas,
        "required": list(schemas),
        "additionalProperties": False,
    }


def listed(schema: Schema) -> Schema:
    """Return the schema of a list of such values."""
    return {"type": "array", "items": schema}


def ref(name: str) -> Schema:
    """Return a reference to one of `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def or_null(schema: Schema) -> Schema:
    """Return the schema of such a value, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def _id(prefix: str) -> Schema:
    return {"type": "string", "pattern": f"^{prefix}[1-9][0-9]*$"}


def _one_of(words: Iterable[str]) -> Schema:
    return {"enum": [str(word) for word in words]}


TEXT: Final[Schema] = {"type": "string"}
TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
TRUTH: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
NUMBER_OR_NULL: Final[Schema] = {"type": ["number", "null"]}
CODE_OR_NULL: Final[Schema] = {"type": ["integer", "null"], "minimum": 0}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
MOMENT_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
TEXTS: Final[Schema] = listed(TEXT)
OBJECT: Final[Schema] = {"type": "object"}

_ENCODING: Final = {
    "coding": _one_of(Coding),
    "used": COUNT,
    "room": COUNT,
    "unit": TEXT,
    "octets": {"type": "string", "pattern": "^([0-9A-F]{2})*$"},
}
_SCENARIO: Final[dict[str, Schema]] = {
    "name": TEXT,
    "description": TEXT,
    "file": TEXT,
    "seed": {"type": "integer"},
    "state": TEXT,
    "states": TEXTS,
    "rules": listed(members(name=TEXT, matched=COUNT, beforeChecks=TRUTH, added=TRUTH, gone=TRUTH)),
    "readings": {"type": "object", "additionalProperties": TEXT},
    "yaml": TEXT,
}

_REQUEST: Final = {
    "id": _id("r"),
    "method": TEXT,
    "path": TEXT,
    "at": MOMENT,
    "parameters": {"type": "object", "additionalProperties": TEXT},
    "status": {"type": "integer"},
    "answer": TEXT,
    "contentType": TEXT,
    "error": CODE_OR_NULL,
    "reason": TEXT_OR_NULL,
    "hints": TEXTS,
    "rule": TEXT_OR_NULL,
    "messageId": or_null(_id("m")),
}

SCHEMAS: Final[Mapping[str, Schema]] = {
    "Message": members(
        id=_id("m"),
        transactionId=TEXT,
        user=TEXT,
        to=TEXT,
        senderId=TEXT_OR_NULL,
        text=TEXT_OR_NULL,
        dcs=COUNT,
        encoding=members(**_ENCODING),
        udh=TEXT_OR_NULL,
        flash=TRUTH,
        concatenation=or_null(members(reference=COUNT, total=COUNT, sequence=COUNT)),
        joined=TEXT_OR_NULL,
        confirmation=TRUTH,
        callbackUrl=TEXT_OR_NULL,
        unreported=TEXT_OR_NULL,
        scheduledAt=MOMENT_OR_NULL,
        expiresAt=MOMENT_OR_NULL,
        receivedAt=MOMENT,
        status=TEXT,
        timeline=listed(members(at=MOMENT, status=TEXT, errorCode=CODE_OR_NULL, done=TRUTH)),
        callbacks=listed(_id("c")),
        hints=TEXTS,
        requestId=_id("r"),
    ),
    "Messages": members(messages=listed(ref("Message")), total=COUNT, next=or_null(_id("m"))),
    "Request": members(**_REQUEST),
    "Requests": members(requests=listed(ref("Request")), total=COUNT, next=or_null(_id("r"))),
    "RequestWithTrace": members(
        **_REQUEST,
        trace=members(
            checks=listed(ref("Check")),
            rules=listed(ref("RuleTrace")),
            closest=or_null(
                members(
                    name=TEXT,
                    conditions=listed(members(asked=TEXT, met=TEXT, holds={"type": ["boolean", "null"]})),
                )
            ),
            drawn=TEXTS,
            note=TEXT_OR_NULL,
        ),
    ),
    "Check": members(about=TEXT, code=COUNT, verdict=_one_of(Verdict), reason=TEXT_OR_NULL),
    "RuleTrace": members(name=TEXT, matched=TRUTH, miss=TEXT_OR_NULL, drawn=TEXTS),
    "Callback": members(
        id=_id("c"),
        messageId=_id("m"),
        transactionId=TEXT,
        method=TEXT,
        url=TEXT,
        body={"type": ["object", "string", "null"]},
        state=_one_of(CallbackState),
        reason=TEXT_OR_NULL,
        attempts=listed(
            members(at=MOMENT, status={"type": ["integer", "null"]}, error=TEXT_OR_NULL, ms=COUNT)
        ),
    ),
    "Clock": members(now=MOMENT, mode=TEXT, nextDue=MOMENT_OR_NULL),
    "Scenario": members(**_SCENARIO),
    "SwitchedScenario": members(**_SCENARIO, changed=TEXTS),
    "Account": members(
        user=TEXT,
        apiKey=TEXT_OR_NULL,
        disabled=TRUTH,
        balance={"type": ["integer", "null"]},
        queued=COUNT,
        queueLimit=CODE_OR_NULL,
        rateLimit=or_null(members(requests=COUNT, perSeconds={"type": "number"})),
        rateExceeded=TRUTH,
        senderIds=or_null(TEXTS),
        unsupported=TEXTS,
        callbackUrl=TEXT_OR_NULL,
    ),
    "Explanation": members(
        accepted=TRUTH,
        error=CODE_OR_NULL,
        reason=TEXT_OR_NULL,
        hints=TEXTS,
        checks=listed(ref("Check")),
        encoding=or_null(
            members(
                **_ENCODING,
                dear=TEXT_OR_NULL,
                flash=TRUTH,
                elements=listed(members(iei=COUNT, data=TEXT, meaning=TEXT)),
            )
        ),
        rule=TEXT_OR_NULL,
        answer=members(
            status={"type": "integer"},
            contentType=TEXT,
            body=TEXT,
            headers={"type": "object", "additionalProperties": TEXT},
            fault=or_null(_one_of(Fault)),
            delay=NUMBER_OR_NULL,
        ),
        rules=listed(ref("RuleTrace")),
        drawn=TEXTS,
        timeline=listed(
            members(
                at=MOMENT,
                after={"type": "number"},
                status=TEXT,
                errorCode=CODE_OR_NULL,
                reports=COUNT,
                reportAfter=NUMBER_OR_NULL,
            )
        ),
        unreported=TEXT_OR_NULL,
    ),
    "Problem": {
        "type": "object",
        "description": "RFC 9457: what was wrong and what to do.",
        "properties": {
            "type": {"const": "about:blank"},
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "mistakes": listed(ref("Mistake")),
        },
        "required": ["type", "title", "status", "detail"],
    },
    "Mistake": members(
        line={"type": "integer", "minimum": 1}, column={"type": "integer", "minimum": 1}, message=TEXT
    ),
}
"""The records by name, as the OpenAPI document holds them."""
