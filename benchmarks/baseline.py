"""The yardstick: a bare Starlette application with one route that parses JSON and answers a constant, and no more."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request


async def _send(request: Request) -> JSONResponse:
    await request.json()
    return JSONResponse({"response": {"status": "OK", "transactionId": "1234569"}})


app = Starlette(routes=[Route("/sendMtSms.php", _send, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
    )
