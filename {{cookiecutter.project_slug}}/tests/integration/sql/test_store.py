"""The repository holds its contract on both databases, and its transactions their deadline."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text

from steadfast_service.domain.orders import Item, Order, Status, new_order_id
from steadfast_service.gateways.sql.orders import SqlOrders
from steadfast_service.gateways.sql.schema import orders
from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.database.engine import Database
from steadfast_service.runtime.deadlines import DeadlineExceeded
from steadfast_service.runtime.errors import DependencyUnavailable


def an_order(at: float = 1_750_000_000.123, amount: int = 9_000_000_000_000) -> Order:
    return Order(
        id=new_order_id(at),
        customer_id="cus_1",
        currency="EUR",
        items=(Item("tea-01", 2, 450),),
        amount=amount,
        status=Status.PENDING,
        created_at=datetime.fromtimestamp(at, UTC),
    )


async def test_what_is_added_is_found(database: Database) -> None:
    store, order = SqlOrders(database), an_order()
    assert await store.add(order, None, "print") == (order, "print")
    assert await store.get(order.id) == order
    assert await store.get(new_order_id(1)) is None


async def test_a_settled_order_stays_as_it_is(database: Database) -> None:
    store, order = SqlOrders(database), an_order()
    await store.add(order, None, "print")
    await store.settle(order.id, Status.AUTHORISED)
    await store.settle(order.id, Status.DECLINED)
    found = await store.get(order.id)
    assert found is not None
    assert found.status is Status.AUTHORISED


async def test_one_key_is_one_row(database: Database) -> None:
    store = SqlOrders(database)
    added = await asyncio.gather(*(store.add(an_order(), "key", str(n)) for n in range(20)))
    assert len({order.id for order, _ in added}) == 1
    assert len({fingerprint for _, fingerprint in added}) == 1
    async with database.transaction() as connection:
        assert await connection.scalar(select(func.count()).select_from(orders)) == 1


async def test_pages_cover_all_once(database: Database) -> None:
    store = SqlOrders(database)
    stored = [an_order(at=1_750_000_000 + n) for n in range(7)]
    for order in stored:
        await store.add(order, None, "print")
    seen: list[str] = []
    after = None
    while page := await store.page(after, 3):
        seen += [order.id for order in page]
        after = seen[-1]
    assert seen == [order.id for order in reversed(stored)]


async def test_a_full_pool_refuses_within_its_wait(url: str) -> None:
    database = Database(url, pool_size=1, pool_wait=0.2, statement_timeout=5.0)
    async with database.transaction():
        with pytest.raises(DependencyUnavailable, match="no free connection"):
            async with database.transaction():
                raise AssertionError("there was a connection")
    await database.close()


async def test_a_statement_ends_with_its_deadline(database: Database) -> None:
    if database.embedded:
        pytest.skip("SQLite has no statement that waits")
    state = RequestState(time.monotonic(), "1" * 32, "test")
    state.deadline = state.begun + 0.3
    token = current.set(state)
    try:
        with pytest.raises(DeadlineExceeded):
            async with database.transaction() as connection:
                await connection.execute(text("SELECT pg_sleep(10)"))
    finally:
        current.reset(token)
    async with asyncio.timeout(5), database.transaction() as connection:
        query = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")
        while await connection.scalar(query):
            await asyncio.sleep(0.02)


async def test_a_storm_of_cancellations_leaves_the_pool_whole(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            for _ in range(5):
                await connection.execute(select(func.count()).select_from(orders))

    for wave in range(10):
        tasks = [asyncio.create_task(work()) for _ in range(20)]
        await asyncio.sleep(0.002 * wave)  # each wave is cut at another point of its work
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(10):
        await asyncio.gather(*(work() for _ in range(20)))
    assert database.in_use() == 0
