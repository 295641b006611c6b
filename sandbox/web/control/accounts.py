"""Accounts: where each stands, and giving one credits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse

from sandbox.core.masking import masked, without_secrets
from sandbox.core.spelling import excerpt
from sandbox.errors import NotFoundError, did_you_mean
from sandbox.web.control.operation import Answer, Operation
from sandbox.web.control.schemas import TRUTH, listed, members, ref
from sandbox.yaml_scalars import Integer
from sandbox.yaml_shapes import Keys

if TYPE_CHECKING:
    from sandbox.core.model import Account
    from sandbox.engine import Engine
    from sandbox.web.control.operation import Asked


def account_json(account: Account, engine: Engine) -> dict[str, Any]:
    """Return where an account stands; its key is masked."""
    standing = engine.ledger.standing(account, engine.clock.now())
    limit = account.rate_limit
    return {
        "user": account.user,
        "apiKey": None if account.api_key is None else masked(account.api_key),
        "disabled": account.disabled,
        "balance": standing.balance,
        "queued": standing.queued,
        "queueLimit": account.queue_limit,
        "rateLimit": None if limit is None else {"requests": limit.requests, "perSeconds": limit.per_s},
        "rateExceeded": standing.rate_exceeded,
        "senderIds": None if account.sender_ids is None else sorted(account.sender_ids),
        "unsupported": sorted(account.unsupported),
        "callbackUrl": None if account.callback_url is None else without_secrets(account.callback_url),
    }


async def accounts(asked: Asked) -> JSONResponse:
    """List the accounts of the scenario; `any` says whether anybody else may send too."""
    engine = asked.engine
    listed = engine.scenario.accounts.listed.values()
    return JSONResponse(
        {
            "accounts": [account_json(each, engine) for each in listed],
            "any": engine.scenario.accounts.anyone,
        }
    )


async def patch_account(asked: Asked) -> JSONResponse:
    """Give an account so many credits."""
    user, engine = asked.path["user"], asked.engine
    account = engine.scenario.accounts.find(user)
    if account is None:
        near = did_you_mean(user, engine.scenario.accounts.listed)
        raise NotFoundError(
            f"there is no account {excerpt(user)}{near}: GET accounts lists those that there are"
        )
    engine.ledger.set_balance(user, asked.body)
    return JSONResponse(account_json(account, engine))


_CHANGE: Final = Keys(
    "accountChange",
    {"balance": Integer(0, 1_000_000_000)},
    lambda written, _: written.get("balance"),
    required=("balance",),
)

OPERATIONS: Final = (
    Operation(
        "GET",
        "/accounts",
        accounts,
        {200: Answer("Where each stands.", members(accounts=listed(ref("Account")), any=TRUTH))},
    ),
    Operation(
        "PATCH",
        "/accounts/{user:path}",
        patch_account,
        {200: Answer("Where it stands now.", ref("Account"))},
        body=_CHANGE,
    ),
)
