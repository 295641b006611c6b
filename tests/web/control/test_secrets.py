"""No key and no password in anything that is shown or logged, wherever it came in."""

import io

import httpx
import pytest

from sandbox.app import create_app
from sandbox.clock import VirtualClock
from sandbox.log import Log
from sandbox.sources import written
from sandbox.web.control import OPERATIONS
from sandbox.web.control.events import Broadcast
from tests.web.control.client import PATH, carrying
from tests.worlds import NOON, REPORTED, FakeCarrier

pytestmark = pytest.mark.anyio

SECRET = "swordfish"
URL = f"http://me:{SECRET}@127.0.0.1:1/lost?apiKey={SECRET}"
# What a scenario's own text holds is shown as it is written, so it holds none here.
YAML = """
name: x
accounts: any
rules: [{when: {senderId: ECHO}, respond: {status: 200, body: "{{ apiKey }}"}}]
"""


async def act(client: httpx.AsyncClient) -> None:
    """Bring the secret in by every way there is."""
    sent = {**REPORTED, "apiKey": SECRET, "callbackUrl": URL}
    await client.get(PATH, params=sent)
    await client.post(PATH, data=sent)
    await client.post(PATH, json=sent)
    await client.get(PATH, params={**sent, "senderId": "ECHO"})
    await client.get(PATH, params={**sent, "to": "recipient"})
    await client.get(PATH, params={**sent, "callbackUrl": f"ftp://me:{SECRET}@host/{SECRET}"[:30]})
    for name in ("apikey", "APIKEY", "api_key", "api-key", "apiKey[]"):
        await client.get(PATH, params={name: SECRET})
    await client.post("/_sandbox/clock/advance", json={"by": "1h"})


@pytest.mark.parametrize("is_json", [False, True])
async def test_no_secret_is_shown_or_logged(*, is_json: bool) -> None:
    stream = io.StringIO()
    log = Log(stream, is_json=is_json)
    app = create_app(scenario=written(YAML), clock=VirtualClock(NOON), carrier=FakeCarrier(carrying), log=log)
    session = app.state.sessions.own
    with Broadcast.of(session).line() as line:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        ) as client:
            await act(client)
            shown = {"events": (await line.next()).decode()}
            for operation in OPERATIONS:
                for number in range(1, 12) if "{id}" in operation.path else [0]:
                    if operation.method != "GET" or operation.path == "/events":
                        continue
                    prefix = operation.path.strip("/")[0]
                    path = operation.path.replace("{id}", f"{prefix}{number}")
                    shown[path] = (await client.get(f"/_sandbox{path}")).text
            verify = {"match": {"to": "x"}, "of": "requests"}
            shown["verify"] = (await client.post("/_sandbox/verify", json=verify)).text
    log.flush()
    shown["log"] = stream.getvalue()
    assert "c1" in shown["/callbacks"]
    assert "r11" in shown["/requests"]
    assert "r11" in shown["log"]
    assert [name for name, text in shown.items() if SECRET in text] == []
