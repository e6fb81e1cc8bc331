"""A dependency's pool changes while calls are made: none of them is disturbed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from starlette.responses import StreamingResponse

from steadfast_service.runtime.outbound.options import Dependency

from ...support.process import until
from ...support.tls import hypercorn_server
from ...support.upstream_server import (
    PATIENT,
    Upstream,
    calls_of,
    client_of,
    options,
    upstream,
)


@pytest.fixture
async def shop() -> AsyncIterator[Upstream]:
    async with upstream() as it:
        yield it


@asynccontextmanager
async def forwarded(url: str) -> AsyncIterator[tuple[str, set[object]]]:
    """A way to the server that knows which connections are open."""
    host, _, port = url.removeprefix("http://").partition(":")
    here: set[object] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while part := await reader.read(65_536):
                writer.write(part)
                await writer.drain()
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here.add(writer)
        there, back = await asyncio.open_connection(host, int(port))
        try:
            await asyncio.gather(pump(reader, back), pump(there, writer))
        finally:
            here.discard(writer)

    async with await asyncio.start_server(forward, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", here


def pool(limit: int, **more: Any) -> Dependency:
    """At most so many connections."""
    few = {"max_concurrent": limit, "max_per_host": limit, "max_connections": limit}
    return options(**few, **more, breaker={"trials": 1, "window": 60})


async def test_a_smaller_pool_lets_busy_connections_go_as_they_are_released(
    shop: Upstream,
) -> None:
    shop.gate.clear()
    async with forwarded(shop.url) as (url, opened), client_of(url) as client:
        calls = calls_of(client, 8)
        await until(lambda: shop.active == 8)
        client.update(pool(3))
        assert len(opened) == 8
        shop.gate.set()
        assert [one.status_code for one in await asyncio.gather(*calls)] == [200] * 8
        await until(lambda: len(opened) == 3)
        before = set(opened)
        for _ in range(2):
            await asyncio.gather(*calls_of(client, 3))
        assert opened == before


async def test_and_idle_ones_at_once(shop: Upstream) -> None:
    async with forwarded(shop.url) as (url, opened), client_of(url) as client:
        shop.gate.clear()
        calls = calls_of(client, 6)
        await until(lambda: shop.active == 6)
        shop.gate.set()
        await asyncio.gather(*calls)
        assert len(opened) == 6
        client.update(pool(2))
        await until(lambda: len(opened) == 2)
        client.update(options(idle_timeout=0.2))
        await until(lambda: not opened)
        assert (await client.request("GET", "/a")).status_code == 200


async def test_a_larger_pool_serves_those_who_wait_for_a_connection(shop: Upstream) -> None:
    end = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"first"
        await end.wait()

    patient = {"timeout": 30, "attempt_timeout": 30}
    few = pool(1, **patient).model_dump(exclude={"url"})
    async with client_of(shop.url, **few) as client:
        shop.answers = [StreamingResponse(endless())]
        stream = await client.request("GET", "/a", stream=True)  # and it holds the connection
        waiting = calls_of(client, 1)
        await asyncio.sleep(0.05)
        assert len(shop.requests) == 1
        client.update(pool(3, **patient))
        async with asyncio.timeout(10):
            assert (await asyncio.gather(*waiting))[0].status_code == 200
        await stream.aclose()
        end.set()


# HTTP/2, whose client is another afterwards


# hypercorn leaves connections to the collector when it ends.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_http2_goes_on_over_another_connection_and_the_old_one_ends(
    shop: Upstream,
) -> None:
    async with (
        hypercorn_server(shop) as server,
        forwarded(server) as (url, opened),
        client_of(url, **PATIENT, http2=True) as client,
    ):
        shop.gate.clear()
        before = calls_of(client, 3)
        await until(lambda: shop.active == 3)
        client.update(options(**PATIENT, http2=True, idle_timeout=60))
        after = calls_of(client, 3)
        await until(lambda: shop.active == 6)
        assert len(opened) == 2
        shop.gate.set()
        answers = await asyncio.gather(*before, *after)
        assert [one.status_code for one in answers] == [200] * 6
        await until(lambda: len(opened) == 1)
        kept = set(opened)
        client.update(options(**PATIENT, http2=True, idle_timeout=60, max_answer_bytes=9))
        await client.request("GET", "/a")
        assert opened == kept
        assert {one.scope["http_version"] for one in shop.requests} == {"2"}
