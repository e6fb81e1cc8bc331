"""A transaction ends with its request's deadline, and the pool is whole afterwards."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, text

from steadfast_service.gateways.sql.schema import orders
from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.database.engine import Database
from steadfast_service.runtime.deadlines import DeadlineExceeded
from steadfast_service.runtime.errors import DependencyUnavailable

from .conftest import POOL_SIZE


@contextmanager
def request(seconds: float) -> Iterator[None]:
    """A request with that much time from now on."""
    state = RequestState(time.monotonic(), "1" * 32, "test")
    state.deadline = state.begun + seconds
    token = current.set(state)
    try:
        yield
    finally:
        current.reset(token)


async def assert_whole(database: Database) -> None:
    """Every connection of the pool can be had at once, and works."""
    together = asyncio.Barrier(POOL_SIZE)

    async def work() -> None:
        async with database.transaction() as connection:
            await together.wait()
            await connection.execute(select(orders.c.id).limit(1))

    assert database.in_use() == 0
    async with asyncio.timeout(10):
        await asyncio.gather(*(work() for _ in range(POOL_SIZE)))
    assert database.in_use() == 0


async def sleeping(database: Database) -> int:
    """How many statements of the tests run on the server now."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
        " AND datname = current_database() AND query LIKE 'SELECT pg_sleep%'"
    )
    async with database.transaction() as connection:
        return int(await connection.scalar(query) or 0)


async def sleep(database: Database, seconds: float) -> None:
    async with database.transaction() as connection:
        await connection.execute(text(f"SELECT pg_sleep({seconds})"))


async def until_none_sleeps(database: Database) -> None:
    async with asyncio.timeout(5):
        while await sleeping(database):
            await asyncio.sleep(0.01)


async def test_a_statement_ends_with_the_deadline(postgres: Database) -> None:
    with request(0.3):
        began = time.monotonic()
        running = asyncio.create_task(sleep(postgres, 10))
    while not await sleeping(postgres):
        assert not running.done()
    with pytest.raises(DeadlineExceeded, match="the database ran out of time"):
        await running
    assert 0.2 < time.monotonic() - began < 2  # 80 % of 0.3 s, and not the statement's 10
    await until_none_sleeps(postgres)
    await assert_whole(postgres)


async def test_what_the_deadline_cut_is_rolled_back(postgres: Database) -> None:
    with request(0.3), pytest.raises(DeadlineExceeded):  # noqa: PT012 - one transaction
        async with postgres.transaction() as connection:
            await connection.execute(text("CREATE TABLE half_done (id integer)"))
            await connection.execute(text("SELECT pg_sleep(10)"))
    async with postgres.transaction() as connection:
        assert await connection.scalar(text("SELECT to_regclass('half_done')")) is None


async def test_deadlines_of_many_requests_leave_the_pool_whole(postgres: Database) -> None:
    async def late(number: int) -> None:
        with request(0.02 + 0.002 * number):
            await sleep(postgres, 10)

    ends = await asyncio.gather(*(late(n) for n in range(100)), return_exceptions=True)
    assert {type(end) for end in ends} <= {DeadlineExceeded, DependencyUnavailable}
    await until_none_sleeps(postgres)
    await assert_whole(postgres)


async def test_a_storm_of_cancellations_leaves_the_pool_whole(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            for _ in range(10):
                await connection.execute(select(orders.c.id).limit(1))

    cancelled = 0
    for wave in range(10):
        tasks = [asyncio.create_task(work()) for _ in range(20)]
        await asyncio.sleep(0.001 * wave)  # each wave is cut at another point of its work
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        cancelled += sum(isinstance(end, asyncio.CancelledError) for end in ends)
    assert cancelled > 100
    await assert_whole(database)


async def test_a_full_pool_refuses_within_its_wait(database: Database) -> None:
    taken = [database.engine.connect() for _ in range(POOL_SIZE)]
    for connection in taken:
        await connection.start()
    assert database.in_use() == POOL_SIZE
    began = time.monotonic()
    with pytest.raises(DependencyUnavailable, match="no free connection"):
        async with database.transaction():
            pass
    assert 0.4 < time.monotonic() - began < 2
    for connection in taken:
        await connection.close()
    await assert_whole(database)
