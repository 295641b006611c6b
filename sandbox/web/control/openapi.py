"""The control API described: an OpenAPI document, made of the operations themselves.

Knows how an operation is written down, and none of them. Source: OpenAPI 3.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse

from sandbox import __version__
from sandbox.web.control.operation import NOTHING, Answer, Operation
from sandbox.web.control.schemas import OBJECT, SCHEMAS, ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.web.control.operation import Asked
    from sandbox.yaml_shapes import Schema, Shape

_DESCRIPTION: Final = (
    "Everything here also exists under `/s/NAME`, for the session of that name. Where a duration is taken, `5` and "
    "`5s` mean the same. Errors are problem documents (RFC 9457) whose `detail` says what was wrong and what to do."
)


def operation(others: Sequence[Operation], at_root: Sequence[Operation]) -> Operation:
    """Return the operation that shows the document.

    Args:
        others: what stands beside it under ``/_sandbox``.
        at_root: what stands at the root of the server.
    """

    async def openapi(asked: Asked) -> JSONResponse:
        """Show the OpenAPI document of this API."""
        name = asked.session.name
        return JSONResponse(document((*others, own), at_root, base="" if name is None else f"/s/{name}"))

    own = Operation("GET", "/openapi.json", openapi, {200: Answer("The document.", OBJECT)})
    return own


def document(operations: Iterable[Operation], at_root: Iterable[Operation], *, base: str) -> dict[str, Any]:
    """Return the OpenAPI document of the control API.

    Args:
        operations: those under ``/_sandbox``.
        at_root: those at the root of the server.
        base: the session's path, ``/s/test-7``; empty for the server's own.
    """
    schemas: Schema = dict(SCHEMAS)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(f"/_sandbox{_path(each)}", {})[each.method.lower()] = _described(each, schemas)
    for each in at_root:
        item = paths.setdefault(_path(each), {"servers": [{"url": "/"}]})
        item[each.method.lower()] = _described(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The control API of panelsms-sandbox",
            "version": __version__,
            "description": _DESCRIPTION,
        },
        "servers": [{"url": base or "/"}],
        "security": [{}, {"adminToken": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {"Problem": _response(Answer("A problem.", ref("Problem"), _PROBLEM))},
            "securitySchemes": {
                "adminToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Only with --admin-token; health is open always.",
                }
            },
        },
    }


_PROBLEM: Final = "application/problem+json"


def _path(each: Operation) -> str:
    return each.path.replace(":path}", "}")


def _described(each: Operation, schemas: Schema) -> Schema:
    names = re.findall(r"\{(\w+)\}", _path(each))
    parameters = [
        *(
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in names
        ),
        *(
            {"name": name, "in": "query", "schema": _of_query(shape, schemas)}
            for name, shape in each.query.items()
        ),
    ]
    described: Schema = {
        "operationId": each.act.__name__,
        "summary": (each.act.__doc__ or "").partition("\n")[0].removesuffix("."),
        "responses": {
            **{str(status): _answer(status, answer) for status, answer in each.answers.items()},
            "4XX": {"$ref": "#/components/responses/Problem"},
        },
    }
    if parameters:
        described["parameters"] = parameters
    if each.body is not NOTHING:
        schema = _schema(each.body, schemas)
        described["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return described


def _answer(status: int, answer: Answer) -> Schema:
    if status < 400:
        return _response(answer)
    more = {key: value for key, value in answer.schema.items() if key != "additionalProperties"}
    return _response(Answer(answer.what, {"allOf": [ref("Problem"), more]}, _PROBLEM))


def _response(answer: Answer) -> Schema:
    return {"description": answer.what, "content": {answer.media_type: {"schema": answer.schema}}}


def _of_query(shape: Shape[Any], schemas: Schema) -> Schema:
    """Return the schema of a query parameter: what is any scalar in a body is a text there."""
    schema = _schema(shape, schemas)
    return {**schema, "type": "string"} if isinstance(schema.get("type"), list) else schema


def _schema(shape: Shape[Any], schemas: Schema) -> Schema:
    """Return the schema of a shape; those of its parts that have a name go to *schemas*."""
    defs: Schema = {}
    schema = _with_own_references(shape.schema(defs))
    schemas.update({name: _with_own_references(each) for name, each in defs.items()})
    assert isinstance(schema, dict)  # noqa: S101 - it was one
    return schema


def _with_own_references(schema: Any) -> Any:
    """Return a schema whose references are to where an OpenAPI document has its schemas."""
    if isinstance(schema, dict):
        return {
            key: value.replace("#/$defs/", "#/components/schemas/")
            if key == "$ref"
            else _with_own_references(value)
            for key, value in schema.items()
        }
    return [_with_own_references(each) for each in schema] if isinstance(schema, list) else schema
