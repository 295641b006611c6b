"""What the buttons of the pages do: a report by hand, a report once more. Each returns where the browser goes then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import NotFoundError
from sandbox.web.ids import number_of
from sandbox.web.inbox.message import REPORTABLE
from sandbox.web.inbox.pages import Redirect, known
from sandbox.web.problems import ConflictError, QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.web.inbox.pages import Visit


async def report(visit: Visit, form: Mapping[str, str]) -> Redirect:
    """Let a message have a status now, and report it.

    Raises:
        NotFoundError: there is no such message.
        QueryError: the form says no status, or no error code.
        ConflictError: the message names nowhere to report to.
    """
    number = number_of(visit.path["id"], "m")
    message = visit.engine.store.message(number)
    if message is None:
        raise NotFoundError(f"There is no message m{number}: it never was, or has been deleted.")
    status = known(form.get("status", ""), REPORTABLE, "status")
    code = form.get("errorCode", "")
    if code and code not in map(str, range(1000)):
        raise QueryError("errorCode is a whole number from 0 to 999, or nothing")
    if message.submission.callback_url is None:
        raise ConflictError(f"No report of m{number} can be sent: there is no address to send it to.")
    callback = visit.engine.timelines.report_by_hand(message, status, int(code) if code else None)
    return Redirect(f"{visit.base}/messages/m{number}#c{callback.number}")


async def replay(visit: Visit, form: Mapping[str, str]) -> Redirect:  # noqa: ARG001 - every action is handed its form
    """Send a report once more, as it was; one that waits for its next attempt is sent at once.

    Raises:
        NotFoundError: there is no such report.
    """
    number = number_of(visit.path["id"], "c")
    callback = visit.engine.store.callback(number)
    if callback is None:
        raise NotFoundError(f"There is no report c{number}: it never was, or has been deleted.")
    visit.engine.timelines.replay(callback)
    return Redirect(f"{visit.base}/messages/m{callback.message.number}#c{number}")
