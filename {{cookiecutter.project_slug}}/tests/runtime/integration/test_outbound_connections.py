"""The connections of a dependency: bounded, kept, verified, and whole after any storm."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.responses import Response, StreamingResponse

from steadfast_service.runtime.errors import (
    DependencyUnavailable,
)

from ...support.process import until
from ...support.upstream_server import PATIENT, Upstream, client_of, upstream


@pytest.fixture
async def shop() -> AsyncIterator[Upstream]:
    async with upstream() as it:
        yield it


# the pool


async def test_it_is_whole_after_a_storm_of_cancellations(shop: Upstream) -> None:
    async with client_of(shop.url, **PATIENT, max_concurrent=500, max_per_host=500) as client:
        for _ in range(8):
            shop.gate.clear()
            before = len(shop.requests)
            calls = [asyncio.create_task(client.request("GET", "/a")) for _ in range(500)]
            # Cancelled at every point of their way: connecting, sending, waiting.
            await until(lambda: len(shop.requests) >= before + 100)  # noqa: B023
            for call in calls[::2]:
                call.cancel()
            await asyncio.sleep(0)
            for call in calls[1::2]:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            shop.gate.set()
        assert client.pipeline.active == 0
        answers = await asyncio.gather(*(client.request("GET", "/a") for _ in range(500)))
        assert [answer.status_code for answer in answers] == [200] * 500


async def test_no_more_connections_than_the_host_may_have(shop: Upstream) -> None:
    shop.gate.clear()
    async with client_of(
        shop.url, breaker=PATIENT["breaker"], max_concurrent=4, max_per_host=4
    ) as client:
        calls = [asyncio.create_task(client.request("GET", "/a")) for _ in range(4)]
        await until(lambda: shop.active == 4)
        shop.gate.set()
        await asyncio.gather(*calls)
        for _ in range(20):
            await client.request("GET", "/a")
    assert shop.most_active == 4
    assert len(shop.connections) == 4


async def test_a_kept_connection_is_used_again_until_it_has_idled(shop: Upstream) -> None:
    async with client_of(shop.url, idle_timeout=0.2) as client:
        await client.request("GET", "/a")
        await client.request("GET", "/a")
        assert len(shop.connections) == 1
        await asyncio.sleep(0.5)  # what is tested is that time passes
        await client.request("GET", "/a")
        assert len(shop.connections) == 2


async def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure() -> None:
    closed: list[asyncio.StreamWriter] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine")
        await writer.drain()
        writer.close()  # without having said so
        closed.append(writer)

    async with await asyncio.start_server(once, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with client_of(f"http://127.0.0.1:{port}") as client:
            for _ in range(5):
                assert (await client.request("GET", "/a")).text == "fine"
            assert client.pipeline.breaker.counts().failures == 0
    assert len(closed) == 5


# the answer


@pytest.mark.parametrize("kind", ["declared", "chunked", "packed"])
async def test_an_answer_is_bounded_as_it_is_unpacked(shop: Upstream, kind: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 1000

    shop.always = {
        "declared": Response(b"x" * 100_001),
        "chunked": StreamingResponse(chunks()),
        "packed": Response(gzip.compress(b"x" * 10_000_000), headers={"content-encoding": "gzip"}),
    }[kind]
    async with client_of(shop.url, max_answer_bytes=100_000) as client:
        with pytest.raises(DependencyUnavailable, match="more than 100000 bytes"):
            await client.request("GET", "/a")


async def test_a_packed_answer_is_unpacked(shop: Upstream) -> None:
    packed = gzip.compress(b'{"a": 1}')
    shop.always = Response(packed, headers={"content-encoding": "gzip"})
    async with client_of(shop.url) as client:
        response = await client.request("GET", "/a")
    assert response.json() == {"a": 1}
    assert "content-encoding" not in response.headers


async def test_an_answer_that_stops_halfway_is_a_failure() -> None:
    async def halfway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(halfway, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with client_of(f"http://127.0.0.1:{port}") as client:
            with pytest.raises(DependencyUnavailable):
                await client.request("POST", "/a")
            assert client.pipeline.breaker.counts().failures == 1


async def test_a_stream_that_goes_silent_is_cut(shop: Upstream) -> None:
    async def one() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.Event().wait()

    shop.always = StreamingResponse(one())
    short: dict[str, Any] = {"attempt_timeout": 0.2, "connect_timeout": 0.2}
    async with client_of(shop.url, **short) as client:
        response = await client.request("GET", "/a", stream=True)
        with pytest.raises(httpx.ReadTimeout):
            await response.aread()
        await response.aclose()
