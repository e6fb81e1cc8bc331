"""A transaction ends with its request's deadline, and the pool is whole afterwards."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from steadfast_service.gateways.sql.schema import orders
from steadfast_service.runtime.database.engine import Database
from steadfast_service.runtime.deadlines import DeadlineExceeded
from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.observability.metrics import Metrics

from .requests import assert_whole, request


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


async def backends(database: Database) -> set[int]:
    """The server's processes for this database."""
    query = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    async with database.transaction() as connection:
        return set((await connection.scalars(query)).all())


async def nothing(_: AsyncConnection) -> None:
    """Work that needs no more than a connection."""


async def test_the_server_ends_a_statement_in_time(postgres: Database) -> None:
    with request(2):
        began = time.monotonic()
        running = asyncio.create_task(sleep(postgres, 10))
    while not await sleeping(postgres):
        assert not running.done()
    before = await backends(postgres)
    with pytest.raises(DeadlineExceeded, match="the database ran out of time") as caught:
        await running
    assert 1.2 < time.monotonic() - began < 5  # 76 % of 2 s, and not the statement's 10
    assert isinstance(caught.value.__cause__, DBAPIError)
    assert not await sleeping(postgres)
    assert await backends(postgres) == before  # one of which a cancelled statement would have cost
    await assert_whole(postgres)


async def limits(connection: AsyncConnection) -> tuple[float, float]:
    """Seconds that a statement and an idle transaction may take."""
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    query = text("SELECT setting::int FROM pg_settings WHERE name = :name")
    found = [await connection.scalar(query, {"name": name}) for name in names]
    return found[0] / 1000, found[1] / 1000


async def test_limits_are_those_of_the_transaction(postgres: Database) -> None:
    assert await postgres.run(limits) == (300, 0)  # outside of a request: the session's
    with request(1000):
        statement, idle = await postgres.run(limits)
    assert 700 < statement < 800
    assert idle == 2 * statement
    assert await postgres.run(limits) == (300, 0)


async def test_work_that_was_cut_ends_on_the_server(postgres: Database) -> None:
    running = asyncio.create_task(sleep(postgres, 10))
    while not await sleeping(postgres):
        assert not running.done()
    running.cancel()  # its caller has gone
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_none_sleeps(postgres)
    await assert_whole(postgres)


async def test_many_short_statements_end_with_the_deadline(postgres: Database) -> None:
    async def work(connection: AsyncConnection) -> None:
        while True:
            await connection.execute(text("SELECT 1"))

    with request(0.3), pytest.raises(DeadlineExceeded, match="the database"):
        await postgres.run(work)
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


async def hold(database: Database, stack: AsyncExitStack) -> None:
    """Take every connection."""
    for _ in range(database.size):
        await stack.enter_async_context(database.transaction())
    assert database.in_use() == database.size


async def test_a_full_pool_refuses_within_its_wait(database: Database) -> None:
    metrics = Metrics()
    database.report(metrics)
    async with AsyncExitStack() as stack:
        await hold(database, stack)
        began = time.monotonic()
        with pytest.raises(DependencyUnavailable, match="no free connection"):
            await database.run(nothing)
        assert 0.4 < time.monotonic() - began < 2
        value = metrics.registry.get_sample_value
        assert value("database_connections_in_use") == database.size
        assert value("database_connections_limit") == database.size
        assert value("database_pool_timeouts_total") == 1
        assert value("database_pool_waiting") == 0
        assert value("database_pool_wait_seconds_count") == database.size + 1
        assert (value("database_pool_wait_seconds_sum") or 0) > 0.4
        await database.ping()  # a busy pool is not a database that is down
    await assert_whole(database)


async def test_a_wait_for_a_full_pool_ends_with_the_deadline(database: Database) -> None:
    async with AsyncExitStack() as stack:
        await hold(database, stack)
        with request(0.2), pytest.raises(DeadlineExceeded, match="the database"):
            await database.run(nothing)
    await assert_whole(database)


async def test_a_storm_of_cancelled_waiters_loses_no_connection(database: Database) -> None:
    metrics = Metrics()
    database.report(metrics)

    async def work() -> None:
        async with database.transaction() as connection:
            await connection.execute(select(orders.c.id).limit(1))
            await asyncio.sleep(0)

    async with AsyncExitStack() as stack:
        await hold(database, stack)
        tasks = [asyncio.create_task(work()) for _ in range(500)]
        await asyncio.sleep(0)
        assert metrics.registry.get_sample_value("database_pool_waiting") == 500
        for task in tasks[::2]:
            task.cancel()
    for number, task in enumerate(tasks):  # the rest are cut while connections change hands
        await asyncio.sleep(0 if number % 7 else 0.001)
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(end) for end in ends if end} <= {asyncio.CancelledError, DependencyUnavailable}
    assert sum(isinstance(end, asyncio.CancelledError) for end in ends) >= 250
    assert metrics.registry.get_sample_value("database_pool_waiting") == 0
    await assert_whole(database)
