"""The generated client, and what stands under it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from steadfast_service.contract.client import ApiClient
from steadfast_service.runtime.outbound.client import Client

from .serving import Served
from .upstream_server import PATIENT, client_of


@asynccontextmanager
async def outbound(url: str) -> AsyncIterator[Client]:
    """The outbound client of one dependency that may fail as often as it likes."""
    async with client_of(url, **PATIENT, retry={"attempts": 1}) as client:
        yield client


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
