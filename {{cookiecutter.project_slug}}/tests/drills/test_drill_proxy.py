"""The network that breaks: each way a connection can go wrong, seen from its caller."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tools.drill.processes import HOST
from tools.drill.proxy import Proxy, proxy


@asynccontextmanager
async def echoing() -> AsyncIterator[Proxy]:
    """A proxy in front of a server that says what it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1024):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    try:
        async with proxy(server.sockets[0].getsockname()[1]) as between:
            yield between
    finally:
        server.close()


class Caller:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, data: bytes) -> bytes:
        self._writer.write(data)
        async with asyncio.timeout(5):
            return await self._reader.readexactly(len(data))

    async def silent(self) -> bool:
        self._writer.write(b"anyone?")
        try:
            async with asyncio.timeout(0.2):
                await self._reader.read(1)
        except TimeoutError:
            return True
        return False

    async def reset(self) -> bool:
        try:
            async with asyncio.timeout(5):
                await self._reader.read(1)
        except ConnectionResetError:
            return True
        return False

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def calling(between: Proxy) -> AsyncIterator[Caller]:
    caller = Caller(*await asyncio.open_connection(HOST, between.port))
    try:
        yield caller
    finally:
        caller.close()


async def test_it_passes_on_and_counts() -> None:
    async with echoing() as between, calling(between) as caller:
        assert await caller.say(b"hello") == b"hello"
        assert between.accepted == 1


async def test_it_delays_each_way() -> None:
    async with echoing() as between, calling(between) as caller:
        between.delay = 0.1
        began = time.monotonic()
        assert await caller.say(b"hello") == b"hello"
        assert 0.19 < time.monotonic() - began < 2


async def test_it_refuses_and_listens_again() -> None:
    async with echoing() as between, calling(between) as caller:
        assert await caller.say(b"hello") == b"hello"
        between.refuse()
        assert await caller.reset()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, between.port)
        await between.listen()
        async with calling(between) as again:
            assert await again.say(b"hello") == b"hello"


async def test_it_falls_silent_and_heals() -> None:
    async with echoing() as between, calling(between) as caller:
        assert await caller.say(b"hello") == b"hello"
        between.silent = True
        assert await caller.silent()
        async with calling(between) as another:  # accepted, as by a host behind a firewall
            assert await another.silent()
            between.heal()
            assert await another.reset()
        assert await caller.reset()
        async with calling(between) as again:
            assert await again.say(b"hello") == b"hello"


async def test_a_dead_target_is_a_reset() -> None:
    async with echoing() as between:
        between.target = 1
        async with calling(between) as caller:
            assert await caller.reset()
