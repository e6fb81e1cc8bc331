"""Closing in reverse order, whatever one of the closes does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from steadfast_service.runtime.shutdown import Closing

from ...support.records import Records


async def test_the_last_opened_closes_first(records: Records) -> None:
    closed: list[str] = []

    async def later(name: str) -> None:
        await asyncio.sleep(0)
        closed.append(name)

    @asynccontextmanager
    async def manager() -> AsyncIterator[str]:
        yield "value"
        closed.append("manager")

    async with Closing(1) as closing:
        closing.add("first", lambda: closed.append("first"))
        closing.add("second", lambda: later("second"))
        assert await closing.enter("manager", manager()) == "value"
        closing.add("last", lambda: closed.append("last"))
    assert closed == ["last", "manager", "second", "first"]
    assert records.lines == []


async def test_one_that_hangs_and_one_that_fails_do_not_stop_the_others(records: Records) -> None:
    closed: list[str] = []

    async def hang() -> None:
        await asyncio.sleep(3600)

    async def fail() -> None:
        raise OSError("already gone")

    async with asyncio.timeout(5):
        async with Closing(0.05) as closing:
            closing.add("first", lambda: closed.append("first"))
            closing.add("hanging", hang)
            closing.add("failing", fail)
            closing.add("failing too", lambda: 1 / 0)
            closing.add("last", lambda: closed.append("last"))
    assert closed == ["last", "first"]
    told = {record["what"]: record["event"] for record in records.all()}
    assert told == {
        "failing too": "close failed",
        "failing": "close failed",
        "hanging": "close timed out",
    }


async def test_what_was_opened_before_a_failure_is_closed(records: Records) -> None:
    closed: list[str] = []

    async def start() -> None:
        async with Closing(1) as closing:
            closing.add("first", lambda: closed.append("first"))
            raise LookupError

    with pytest.raises(LookupError):
        await start()
    assert closed == ["first"]


async def test_background_work_ends_with_it(records: Records) -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    async with Closing(1) as closing:
        closing.task("work", work())
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await ended.wait()
