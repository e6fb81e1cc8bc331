"""The generated client, and what stands under it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from opentelemetry.trace import NoOpTracer

from steadfast_service.contract.client import ApiClient
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.outbound.client import Client

from .serving import Served


@asynccontextmanager
async def outbound(url: str) -> AsyncIterator[Client]:
    """The outbound client of one dependency, called `shop`."""
    client = Client("shop", url, metrics=Metrics(), tracer=NoOpTracer())
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def api_client(running: Served) -> AsyncIterator[ApiClient]:
    """A client of the running service, with its token where it asks for one."""
    async with outbound(str(running.client.base_url)) as client:
        yield ApiClient(client, token=_token(running))


def _token(running: Served) -> Callable[[], Awaitable[str]] | None:
    shown = running.client.headers.get("authorization")
    if shown is None:
        return None

    async def token() -> str:
        return str(shown).partition(" ")[2]

    return token
