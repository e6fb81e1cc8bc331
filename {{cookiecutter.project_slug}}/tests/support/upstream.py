"""A payments service that the test questions and instructs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from steadfast_service.runtime.http.server import loopback


class Payments:
    """Approves everything, but for the next `answers`; keeps the requests that it got."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.gate = asyncio.Event()  # while it is not set there is no answer
        self.gate.set()
        # Status and content of the next answers; a content of None is an empty body.
        self.answers: list[tuple[int, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        await self.gate.wait()
        self.requests.append(request)
        status, content = self.answers.pop(0) if self.answers else (200, {"approved": True})
        response = (
            Response(status_code=status) if content is None else JSONResponse(content, status)
        )
        await response(scope, receive, send)


@asynccontextmanager
async def payments() -> AsyncIterator[Payments]:
    """Serve it on a free port."""
    service = Payments()
    async with loopback(service) as service.url:
        yield service
