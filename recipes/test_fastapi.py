"""A FastAPI application that takes delivery reports: verified, stored once, in any order.

    pip install pytest fastapi uvicorn standardwebhooks panelsms-sandbox
    pytest test_fastapi.py

The application is served on a real port, as the sandbox posts to it from outside.
"""

import socket
from collections.abc import Iterator
from threading import Thread
from typing import Literal

import pytest
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel
from standardwebhooks import Webhook, WebhookVerificationError

from sandbox import Sandbox

# -- the application -----------------------------------------------------------------------------------------

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FINAL = {"delivered", "expired", "deleted", "undeliverable", "unknown", "rejected"}
STATUSES: dict[str, str] = {}
"""By transaction id; a table of the database in yours."""

app = FastAPI()


class Report(BaseModel):
    transactionId: str
    status: Literal[
        "accepted", "enroute", "delivered", "expired", "deleted", "undeliverable", "unknown", "rejected"
    ]
    errorCode: int | None


@app.post("/sms/report", status_code=204)
async def take_report(report: Report, request: Request) -> None:
    """Store a message's status. Reports may come twice and in any order: a final status stays."""
    try:
        Webhook(SECRET).verify(await request.body(), dict(request.headers))
    except WebhookVerificationError:
        raise HTTPException(403) from None
    if STATUSES.get(report.transactionId) not in FINAL:
        STATUSES[report.transactionId] = report.status


# -- the tests -----------------------------------------------------------------------------------------------

SIGNED = {"callbacks": {"signature": {"secret": SECRET}}}


@pytest.fixture(scope="module")
def app_url() -> Iterator[str]:
    """The application, served by a thread while the tests of this module run."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.mark.sms_scenario(SIGNED)
def test_a_report_is_taken_and_stored(sms_sandbox: Sandbox, app_url: str) -> None:
    sms_sandbox.send(transactionId="order-1", confirmation=True, callbackUrl=f"{app_url}/sms/report")
    sms_sandbox.clock.advance("1s")  # when this returns, the report has been taken
    assert STATUSES["order-1"] == "delivered"
    assert sms_sandbox.callbacks.last.state == "delivered"


@pytest.mark.sms_scenario({**SIGNED, "default": {"dlr": [{"after": "1s", "status": "expired", "repeat": 2}]}})
def test_a_report_that_comes_twice_is_taken_twice(sms_sandbox: Sandbox, app_url: str) -> None:
    sms_sandbox.send(transactionId="order-2", confirmation=True, callbackUrl=f"{app_url}/sms/report")
    sms_sandbox.clock.advance("1s")
    assert STATUSES["order-2"] == "expired"
    assert [callback.state for callback in sms_sandbox.callbacks] == ["delivered", "delivered"]


@pytest.mark.sms_scenario({"callbacks": {"signature": {"secret": "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA=="}}})
def test_a_report_signed_by_somebody_else_is_turned_away_each_time(
    sms_sandbox: Sandbox, app_url: str
) -> None:
    sms_sandbox.send(transactionId="order-3", confirmation=True, callbackUrl=f"{app_url}/sms/report")
    sms_sandbox.clock.advance("1h")  # past all five of the sandbox's further attempts
    assert "order-3" not in STATUSES
    assert [attempt.status for attempt in sms_sandbox.callbacks.last.attempts] == [403] * 6
