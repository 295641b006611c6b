"""Accounts: where each stands, and giving one credits."""

from typing import Any

import pytest

from tests.web.control.client import Client, talking

pytestmark = pytest.mark.anyio

YAML = """
name: two
accounts:
  - user: you@example.com
    apiKey: key
    balance: 1
    queueLimit: 5
    rateLimit: {requests: 10, per: 1m}
    senderIds: [ORDER, CODE]
    unsupported: [flash, udh]
    callbackUrl: http://me:swordfish@localhost:9000/dlr
  - {user: a/b, apiKey: topsecret, disabled: true}
"""


async def test_accounts_are_listed_with_where_they_stand() -> None:
    async with talking(YAML) as client:
        await client.submit()
        listed = await client.shown("accounts")
    assert listed["any"] is False
    assert listed["accounts"] == [
        {
            "user": "you@example.com",
            "apiKey": "…",
            "disabled": False,
            "balance": 0,
            "queued": 1,
            "queueLimit": 5,
            "rateLimit": {"requests": 10, "perSeconds": 60.0},
            "rateExceeded": False,
            "senderIds": ["CODE", "ORDER"],
            "unsupported": ["flash", "udh"],
            "callbackUrl": "http://me:…@localhost:9000/dlr",
        },
        {
            "user": "a/b",
            "apiKey": "to…et",
            "disabled": True,
            "balance": None,
            "queued": 0,
            "queueLimit": None,
            "rateLimit": None,
            "rateExceeded": False,
            "senderIds": None,
            "unsupported": [],
            "callbackUrl": None,
        },
    ]


async def test_credits_that_are_given_count_at_once() -> None:
    async with talking(YAML) as client:
        answers = [await client.submit(), await client.submit()]
        shown = await client.done("PATCH", "accounts/you@example.com", {"balance": 5})
        answers.append(await client.submit())
    assert answers == ["OK_1000001", "ERROR_9", "OK_1000002"]
    assert (shown["user"], shown["balance"]) == ("you@example.com", 5)


async def test_a_user_is_named_whatever_stands_in_the_name() -> None:
    async with talking(YAML) as client:
        assert (await client.done("PATCH", "accounts/a/b", {"balance": 5}))["user"] == "a/b"
        assert (await client.done("PATCH", "accounts/a%2Fb", {"balance": 7}))["balance"] == 7


async def test_where_anybody_may_send_anybody_can_be_given_credits(client: Client) -> None:
    listed = await client.shown("accounts")
    assert listed["any"] is True
    assert [account["user"] for account in listed["accounts"]] == ["disabled@example.com"]
    await client.done("PATCH", "accounts/you@example.com", {"balance": 1})
    assert [await client.submit(), await client.submit()] == ["OK_1000001", "ERROR_9"]


async def test_there_is_no_such_account() -> None:
    async with talking(YAML) as client:
        detail = await client.refused("PATCH", "accounts/you@exampel.com", 404, {"balance": 5})
    assert detail == (
        "there is no account you@exampel.com: did you mean you@example.com?: GET accounts lists those that there are"
    )


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "balance is missing"),
        ({"balance": "5"}, 'balance: is "5", wanted: a whole number, without quotes'),
        ({"balance": 1.5}, 'balance: is "1.5", wanted: a whole number'),
        ({"balance": -1}, 'balance: is "-1", wanted: 0 to 1000000000'),
        ({"balance": None}, 'balance: is "null", wanted: a whole number'),
        ({"balance": 5, "balence": 5}, 'there is no key "balence" here: did you mean balance?'),
    ],
)
async def test_what_is_no_balance(client: Client, body: Any, detail: str) -> None:
    assert await client.refused("PATCH", "accounts/x", 422, body) == detail
