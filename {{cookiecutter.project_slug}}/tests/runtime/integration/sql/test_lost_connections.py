"""A connection that is lost costs a request nothing, or one clear error; never an order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from asyncpg import Connection  # type: ignore[import-untyped]
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from steadfast_service.domain.orders import Status
from steadfast_service.gateways.sql.orders import SqlOrders
from steadfast_service.runtime.database.engine import Database
from steadfast_service.runtime.database.failures import ConnectionLost
from steadfast_service.runtime.database.postgres import BoundedConnection
from steadfast_service.runtime.deadlines import DeadlineExceeded
from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.health import CHECK_TIMEOUT
from steadfast_service.runtime.observability.metrics import Metrics

from ....integration.sql.conftest import POOL_SIZE, opened
from ....integration.sql.test_store import an_order, count
from ....support.process import until
from .link import Link, link
from .requests import assert_whole, request

PID = text("SELECT pg_backend_pid()")
TERMINATE = text("SELECT pg_terminate_backend(:pid)")


async def pid(connection: AsyncConnection) -> int:
    return int(await connection.scalar(PID) or 0)


def retries(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("database_transaction_retries_total")


@pytest.fixture
def metrics(postgres: Database) -> Metrics:
    it = Metrics()
    postgres.report(it)
    return it


@pytest.fixture
async def wire(postgres: Database) -> AsyncIterator[Link]:
    """A network in front of the database of `postgres`."""
    async with link(postgres.url) as it:
        yield it


@pytest.fixture
async def far(wire: Link) -> AsyncIterator[Database]:
    """The same database, over that network."""
    it = opened(wire.url.render_as_string(hide_password=False))
    yield it
    await it.close()


class Killed:
    """Work whose connection the server ends in the middle, the first time."""

    def __init__(self, other: Database) -> None:
        self._other = other
        self.times = 0

    async def __call__(self, connection: AsyncConnection) -> int:
        self.times += 1
        mine = await pid(connection)
        if self.times == 1:
            async with self._other.transaction() as theirs:
                await theirs.execute(TERMINATE, {"pid": mine})
        await connection.execute(text("SELECT pg_sleep(0.2)"))
        return mine


async def test_repeatable_work_is_done_once_more(postgres: Database, metrics: Metrics) -> None:
    work = Killed(postgres)
    assert await postgres.run(work, repeatable=True) > 0
    assert work.times == 2
    assert retries(metrics) == 1
    await assert_whole(postgres)


async def test_other_work_is_not(postgres: Database, metrics: Metrics) -> None:
    work = Killed(postgres)
    with pytest.raises(ConnectionLost) as caught:
        await postgres.run(work)
    assert caught.value.sent
    assert work.times == 1
    assert retries(metrics) == 0
    await assert_whole(postgres)


async def test_work_is_repeated_once(postgres: Database, metrics: Metrics) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(TERMINATE, {"pid": await pid(connection)})

    with pytest.raises(ConnectionLost):
        await postgres.run(work, repeatable=True)
    assert retries(metrics) == 1
    await assert_whole(postgres)


async def test_one_that_ends_while_it_is_set_up_is_one_clear_error(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(self: BoundedConnection, *args: object, **kwargs: object) -> None:
        self.terminate()
        await Connection.set_type_codec(self, *args, **kwargs)

    monkeypatch.setattr(BoundedConnection, "set_type_codec", cut)
    with pytest.raises(DependencyUnavailable, match="connection is closed"):
        await postgres.run(pid)
    monkeypatch.undo()
    await assert_whole(postgres)


async def test_connections_that_ended_while_idle_are_not_used(
    postgres: Database, metrics: Metrics, server: str
) -> None:
    async with AsyncExitStack() as stack:
        taken = [await stack.enter_async_context(postgres.transaction()) for _ in range(POOL_SIZE)]
        pooled = [(await one.get_raw_connection()).driver_connection for one in taken]
    other = opened(server)
    async with other.transaction() as connection:
        query = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
        await connection.execute(query, {"name": postgres.url.database})
    await other.close()
    await until(lambda: all(one is not None and one.is_closed() for one in pooled))
    for _ in range(2 * POOL_SIZE):
        async with postgres.transaction() as connection:  # which cannot be repeated
            await pid(connection)
    assert retries(metrics) == 0
    await assert_whole(postgres)


async def test_a_check_survives_connections_that_died_in_silence(far: Database, wire: Link) -> None:
    await assert_whole(far)
    wire.silence()
    async with asyncio.timeout(CHECK_TIMEOUT):
        await far.ping()


async def test_a_caller_with_little_time_costs_one_connection(far: Database, wire: Link) -> None:
    metrics = Metrics()
    far.report(metrics)
    await assert_whole(far)
    wire.silence()
    with request(0.1), pytest.raises(DeadlineExceeded):
        await far.run(pid)
    assert retries(metrics) == 0
    with request(2):
        assert await far.run(pid) > 0


async def test_a_pool_that_died_in_silence_closes_in_time(
    far: Database, wire: Link, caplog: pytest.LogCaptureFixture
) -> None:
    await assert_whole(far)
    wire.silence()
    async with asyncio.timeout(0.2 * POOL_SIZE):
        await far.close()
    assert caplog.records == []


async def test_connections_that_died_in_silence_are_replaced(far: Database, wire: Link) -> None:
    metrics = Metrics()
    far.report(metrics)
    await assert_whole(far)
    wire.silence()
    with request(2):
        assert await far.run(pid) > 0  # not repeatable: nothing of it was sent
    assert retries(metrics) == 1
    with request(2):  # one was enough to distrust the others, which are as old
        await assert_whole(far)
    assert retries(metrics) == 1


@pytest.mark.parametrize("key", [None, "key"])
@pytest.mark.parametrize("fault", ["lose", "lose_answer"])
async def test_an_order_is_stored_once_whatever_is_lost(
    far: Database, wire: Link, key: str | None, fault: str
) -> None:
    metrics = Metrics()
    far.report(metrics)
    store, order = SqlOrders(far), an_order()
    setattr(wire, fault, b"COMMIT")
    assert await store.add(order, key, "print") == (order, "print")
    assert retries(metrics) == 1
    assert await count(far) == 1
    assert await store.get(order.id) == order


async def test_a_settled_order_is_settled_once(far: Database, wire: Link) -> None:
    store, order = SqlOrders(far), an_order()
    await store.add(order, None, "print")
    wire.lose_answer = b"COMMIT"
    await store.settle(order.id, Status.AUTHORISED)
    found = await store.get(order.id)
    assert found is not None
    assert found.status is Status.AUTHORISED


async def test_storms_of_cut_connections_leave_the_pool_whole(postgres: Database) -> None:
    async def work(connection: AsyncConnection) -> int:
        await connection.execute(text("SELECT pg_sleep(0.01)"))
        return 1

    async def cut() -> None:
        query = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for _ in range(5):
            async with postgres.engine.connect() as connection:
                await connection.execute(query)
            await asyncio.sleep(0.03)

    cutting = asyncio.create_task(cut())
    ends = await asyncio.gather(
        *(postgres.run(work, repeatable=True) for _ in range(100)), return_exceptions=True
    )
    await cutting
    assert {type(end) for end in ends} <= {int, ConnectionLost, DependencyUnavailable}
    assert ends.count(1) >= POOL_SIZE
    await assert_whole(postgres)
