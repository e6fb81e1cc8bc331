"""Clients that never finish a head or a body are let go, the others do not notice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from steadfast_service.runtime.http import slow_clients
from steadfast_service.runtime.http.slow_clients import SlowClients

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nabc"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once, whatever is still to be read."""
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server that waits for 0.3 s instead of 10."""
    monkeypatch.setattr(slow_clients, "HEAD_TIMEOUT", 0.3)
    config, state = uvicorn.Config(app, lifespan="off", log_config=None), ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: SlowClients(config, state, {}), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        return head + await reader.readexactly(2)


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All there is until the server closes."""
    async with asyncio.timeout(10):
        return await reader.read()


async def test_a_client_that_says_nothing_is_let_go(port: int) -> None:
    async with connected(port) as (reader, _):
        assert await rest(reader) == b""


async def test_a_head_that_drips_is_let_go(port: int) -> None:
    async with connected(port) as (reader, writer):
        reading = asyncio.create_task(rest(reader))
        writer.write(HEAD + b"X: ")
        while not reading.done():
            writer.write(b"a")
            await asyncio.wait({reading}, timeout=0.05)
        assert (await reading).startswith(b"HTTP/1.1 408 ")


async def test_so_is_one_after_a_request_on_a_kept_connection(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.write(HEAD + b"\r\n")
        assert (await answer(reader)).startswith(b"HTTP/1.1 200 ")
        writer.write(HEAD)
        assert (await rest(reader)).startswith(b"HTTP/1.1 408 ")


async def test_a_kept_connection_may_rest_for_longer(port: int) -> None:
    async with connected(port) as (reader, writer):
        for _ in range(2):
            writer.write(HEAD + b"\r\n")
            assert (await answer(reader)).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(0.5)  # longer than a head may take: there is none


async def test_a_head_in_pieces_is_served(port: int) -> None:
    async with connected(port) as (reader, writer):
        for piece in (HEAD[:9], HEAD[9:], b"\r\n"):
            writer.write(piece)
            await asyncio.sleep(0.02)
        assert (await answer(reader)).startswith(b"HTTP/1.1 200 ")


async def test_a_head_without_end_is_refused(port: int) -> None:
    async with connected(port) as (reader, writer):
        reading = asyncio.create_task(rest(reader))
        writer.write(HEAD)
        line = b"X: " + b"a" * 1000 + b"\r\n"
        for _ in range(slow_clients.MAX_HEAD_BYTES // len(line) + 1):
            writer.write(line)
            await asyncio.sleep(0)
        assert (await reading).startswith(b"HTTP/1.1 431 ")


async def test_a_body_that_nobody_reads_any_more_is_not_waited_for(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.write(BODY)
        assert (await answer(reader)).startswith(b"HTTP/1.1 200 ")
        reading = asyncio.create_task(rest(reader))
        while not reading.done():
            writer.write(b"a")
            await asyncio.wait({reading}, timeout=0.05)
        assert await reading == b""
