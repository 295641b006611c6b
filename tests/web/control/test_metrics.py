"""Metrics: what Prometheus is told of a session."""

from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.web.control.client import Client, talking
from tests.worlds import REPORTED

pytestmark = pytest.mark.anyio

P = "panelsms_sandbox_"


async def scraped(client: Client, base: str = "") -> Mapping[tuple[str, str], float]:
    """Return what is told, by the metric's name and the values of its labels."""
    answer = await client.get(f"{base}/_sandbox/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_a_sandbox_that_has_done_nothing(client: Client) -> None:
    told = await scraped(client)
    assert told[f"{P}due", ""] == told[f"{P}sessions", ""] == told[f"{P}messages_dropped_total", ""] == 0
    assert not any(name == f"{P}requests_total" for name, _ in told)
    assert any(name == f"{P}server_info" for name, _ in told)


async def test_what_has_happened_is_counted(client: Client) -> None:
    await client.submit(**REPORTED)
    await client.submit(to="recipient")
    await client.submit(to="recipient")
    told = await scraped(client)
    assert told[f"{P}requests_total", "none"] == 1
    assert told[f"{P}requests_total", "5"] == 2
    assert told[f"{P}messages", "pending"] == 1
    assert told[f"{P}due", ""] == 1
    await client.world.pass_time(1)
    told = await scraped(client)
    assert told[f"{P}messages", "delivered"] == 1
    assert told[f"{P}callbacks", "delivered"] == 1
    assert told[f"{P}callbacks_unfinished", ""] == 0
    assert (f"{P}messages", "pending") not in told


async def test_requests_go_on_being_counted_from_scrape_to_scrape(client: Client) -> None:
    counts = []
    for _ in range(3):
        await client.submit()
        counts.append((await scraped(client))[f"{P}requests_total", "none"])
    await client.done("DELETE", "messages")
    counts.append((await scraped(client))[f"{P}requests_total", "none"])
    await client.submit()
    counts.append((await scraped(client))[f"{P}requests_total", "none"])
    assert counts == [1, 2, 3, 3, 4]


async def test_counters_begin_anew_with_a_reset(client: Client) -> None:
    for _ in range(3):
        await client.submit()
    await scraped(client)
    await client.done("POST", "reset")
    for _ in range(4):
        await client.submit(to="recipient")
    told = await scraped(client)
    assert told[f"{P}requests_total", "5"] == 4
    assert (f"{P}requests_total", "none") not in told


async def test_each_session_tells_of_itself(client: Client) -> None:
    await client.submit()
    await client.get("/s/a/sendMtSms.php")
    told = await scraped(client, "/s/a")
    assert told[f"{P}requests_total", "1"] == 1
    assert (f"{P}requests_total", "none") not in told
    assert told[f"{P}sessions", ""] == 1


async def test_statuses_that_a_scenario_makes_up_are_labels_like_any_other() -> None:
    async with talking('name: x\ndefault: {dlr: [{status: "od\\"d\\n\\\\"}]}') as client:
        await client.submit()
        await client.world.pass_time(0)
        assert (await scraped(client))[f"{P}messages", 'od"d\n\\'] == 1
