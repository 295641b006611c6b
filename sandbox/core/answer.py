"""How the endpoint answers: format, HTTP status, content type and body.

Knows nothing of sockets or headers of the sandbox's own. Source: the API reference, "Responses".
"""

from __future__ import annotations

from html import escape
from json.encoder import encode_basestring
from typing import TYPE_CHECKING

from sandbox.core.model import Answer, Call, Format, Unreadable
from sandbox.core.spelling import excerpt

if TYPE_CHECKING:
    from sandbox.core.readings import Readings

CONTENT_TYPES = {
    Format.TEXT: "text/plain; charset=utf-8",
    Format.JSON: "application/json; charset=utf-8",
    Format.XML: "application/xml; charset=utf-8",
}


def choose_format(call: Call, readings: Readings) -> tuple[Format, str | None]:
    """Return the format that a call is answered in, and a hint when its ``responseType`` counts as absent."""
    hint = None
    chosen = call.parameters.get("responseType")
    if chosen:
        if isinstance(chosen, Unreadable):
            hint = f"responseType counts as absent: it {chosen.why}"
        elif known := _FORMATS.get(chosen.lower()):
            return known, None
        else:
            hint = f"responseType {excerpt(chosen)} counts as absent: it is json or xml"
    if call.has_json_body and readings.json_post_default == "json":
        return Format.JSON, hint
    return Format.TEXT, hint


def success(transaction_id: str, form: Format) -> Answer:
    """Return the answer to an accepted message: ``OK_1234569`` as text."""
    if form is Format.JSON:
        body = f'{{"response":{{"status":"OK","transactionId":{encode_basestring(transaction_id)}}}}}'
    elif form is Format.XML:
        shown = escape(transaction_id, quote=False)
        body = f"<response><status>OK</status><transactionId>{shown}</transactionId></response>"
    else:
        body = f"OK_{transaction_id}"
    return Answer(200, CONTENT_TYPES[form], body)


def failure(code: int, form: Format, readings: Readings, *, http_status: int | None = None) -> Answer:
    """Return the answer to a refused request: ``ERROR_5``.

    *http_status* is one that stands whatever the readings say, such as 413.
    """
    text = error_text(code, readings)
    status = http_status or error_status(code, readings)
    if readings.errors == "bare" or form is Format.TEXT:
        return Answer(status, CONTENT_TYPES[Format.TEXT], text)
    if form is Format.JSON:
        return Answer(status, CONTENT_TYPES[form], f'{{"response":{{"status":"{text}"}}}}')
    return Answer(status, CONTENT_TYPES[form], f"<response><status>{text}</status></response>")


def error_text(code: int, readings: Readings) -> str:
    """Return how an error is spelled: ``ERROR_5``, or ``ERROR_005`` by reading."""
    return f"ERROR_{code:03}" if readings.error_code == "padded" else f"ERROR_{code}"


def error_status(code: int, readings: Readings) -> int:
    """Return the HTTP status of an error: 200, or one of the 4xx by reading."""
    return 200 if readings.error_http_status == "200" else _CLIENT_ERRORS.get(code, 400)


_FORMATS = {"json": Format.JSON, "xml": Format.XML}
_CLIENT_ERRORS = {1: 401, 2: 401, 7: 429, 9: 402}
