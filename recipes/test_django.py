"""A Django application that takes delivery reports: verified, stored once, in any order.

    pip install pytest django standardwebhooks panelsms-sandbox
    pytest test_django.py

The settings stand in this file, so that it runs by itself. In a project they are the project's, the view is an import,
and with pytest-django `live_server.url` replaces the fixture `app_url`.
"""

import json
from collections.abc import Iterator
from threading import Thread
from urllib.error import HTTPError
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from standardwebhooks import Webhook, WebhookVerificationError

from sandbox import Sandbox

# -- the application -----------------------------------------------------------------------------------------

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    SMS_SECRET="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
)
django.setup()

FINAL = {"delivered", "expired", "deleted", "undeliverable", "unknown", "rejected"}
STATUSES: dict[str, str] = {}
"""By transaction id; a table of the database in yours."""


def take_report(request: HttpRequest) -> HttpResponse:
    """Store a message's status. Reports may come twice and in any order: a final status stays."""
    try:
        Webhook(settings.SMS_SECRET).verify(request.body, dict(request.headers))
    except WebhookVerificationError:
        return HttpResponseForbidden()
    report = json.loads(request.body)
    if STATUSES.get(report["transactionId"]) not in FINAL:
        STATUSES[report["transactionId"]] = report["status"]
    return HttpResponse(status=204)


urlpatterns = [path("sms/report", csrf_exempt(take_report))]

# -- the tests -----------------------------------------------------------------------------------------------

SCENARIO = {
    "callbacks": {"signature": {"secret": settings.SMS_SECRET}},
    "rules": [
        {
            "when": {"to": "+34600000002"},
            "dlr": [{"after": "5s", "status": "undeliverable", "errorCode": 11}],
        },
        {
            "when": {"to": "+34600000003"},  # accepted is reported last, and everything twice
            "dlr": [
                {"after": "1s", "status": "accepted", "send_after": "9s", "repeat": 2},
                {"after": "5s", "status": "delivered", "repeat": 2},
            ],
        },
    ],
}
pytestmark = pytest.mark.sms_scenario(SCENARIO)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def app_url() -> Iterator[str]:
    """The application, served by a thread while the tests of this module run."""
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=_Quiet) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("to", "status"),
    [("+34600000001", "delivered"), ("+34600000002", "undeliverable"), ("+34600000003", "delivered")],
)
def test_the_status_that_counts_is_stored(sms_sandbox: Sandbox, app_url: str, to: str, status: str) -> None:
    transaction_id = f"order-{to[-1]}"
    sms_sandbox.send(
        to=to, transactionId=transaction_id, confirmation=True, callbackUrl=f"{app_url}/sms/report"
    )
    sms_sandbox.clock.advance("1m")  # when this returns, every report has been taken
    assert STATUSES[transaction_id] == status
    assert {callback.state for callback in sms_sandbox.callbacks} == {"delivered"}


def test_a_report_that_nobody_signed_is_turned_away(app_url: str) -> None:
    forged = json.dumps({"transactionId": "order-9", "status": "delivered"}).encode()
    with pytest.raises(HTTPError, match="403"):
        urlopen(f"{app_url}/sms/report", forged, timeout=10)
    assert "order-9" not in STATUSES
