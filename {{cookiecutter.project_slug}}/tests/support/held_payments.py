"""A payments service that answers when the test says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive, Scope, Send

from steadfast_service.runtime.http.server import loopback


class HeldPayments:
    """Approves everything, once `release` is set; `calls` counts those that have arrived."""

    def __init__(self) -> None:
        self.url = ""
        self.calls = 0
        self.release = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        await self.release.wait()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"approved": true}'})


@asynccontextmanager
async def held_payments() -> AsyncIterator[HeldPayments]:
    """Serve it on a free port; it holds every call until it is released."""
    payments = HeldPayments()
    async with loopback(payments) as payments.url:
        yield payments
        payments.release.set()
