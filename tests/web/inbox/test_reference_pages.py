"""The pages that explain: error codes, readings, the scenario, the clock."""

from dataclasses import replace

import pytest

from sandbox import contract
from sandbox.sources import builtin, written
from sandbox.web.inbox.scenario import without_secrets
from tests.web.inbox.visits import SENT, browser

pytestmark = pytest.mark.anyio


async def test_every_error_code_has_its_card() -> None:
    async with browser() as opened:
        text = (await opened.visit("/codes")).text
    for row in contract.error_codes():
        for said in (row.description, row.solution, row.fails_when, row.provoke):
            assert " ".join(said.split()) in text


async def test_every_reading_shows_its_values_and_the_one_in_force() -> None:
    scenario = replace(builtin("default").scenario, readings={"errors": "envelope", "timezone": "Asia/Tokyo"})
    async with browser(scenario) as opened:
        text = (await opened.visit("/readings")).text
    for row in contract.reading_rows():
        assert " ".join(row.question.replace("`", "").split()) in text
        for value in row.values:
            assert f"{row.id}={value}" in text
    assert "errors=envelope in force" in text
    assert "errors=bare default" in text
    assert "timezone=Asia/Tokyo in force" in text
    assert "2 are read otherwise" in text


async def test_the_scenario_shows_how_often_each_rule_decided() -> None:
    async with browser() as opened:
        for _ in range(2):
            opened.world.send(SENT, to="+15005550007")
        text = (await opened.visit("/scenario")).text
    assert "2 error-7 to is +15005550007" in text
    assert "never error-8 to is +15005550008" in text
    assert "name: default" in text


async def test_the_scenario_shows_none_of_its_secrets() -> None:
    text = (
        "name: mine\n"
        "accounts:\n"
        "  - {user: you, apiKey: the-very-key-itself}\n"
        "callbacks: {signature: {secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}}\n"
    )
    async with browser(written(text)) as opened:
        shown = await opened.visit("/scenario")
    assert "apiKey: th…lf}" in shown.text
    assert "the-very-key-itself" not in shown.html
    assert "MfKQ9r8" not in shown.html


async def test_the_clock_shows_what_is_due() -> None:
    async with browser() as opened:
        opened.world.accept(SENT)
        text = (await opened.visit("/clock")).text
    assert "2024-01-15T12:00:00Z" in text
    assert "in 1 s 12:00:01 m1 delivered" in text


@pytest.mark.parametrize(
    ("yaml", "shown"),
    [
        ("apiKey: supersecret", "apiKey: su…et"),
        ("  apiKey: 'super secret' # why", "  apiKey: 'su…et' # why"),
        (
            '- {user: a, apiKey: "quoted, \\" secret", disabled: true}',
            '- {user: a, apiKey: "qu…et", disabled: true}',
        ),
        ("signature: {secret: whsec_abcdef}", "signature: {secret: wh…ef}"),
        ('"apiKey":   bare words\n', '"apiKey":   ba…ds\n'),
        ("secret: abc", "secret: …"),
        ("when: {apiKey: {prefix: x}}", "when: {apiKey: {prefix: x}}"),
        ("description: the secret is apiKey", "description: the secret is apiKey"),
    ],
)
def test_secrets_of_a_scenario_are_masked(yaml: str, shown: str) -> None:
    assert without_secrets(yaml) == shown
