"""The repository holds its contract on both databases."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import func, select

from steadfast_service.domain.orders import Item, Order, Status, new_order_id
from steadfast_service.gateways.sql.orders import SqlOrders
from steadfast_service.gateways.sql.schema import orders
from steadfast_service.runtime.database.engine import Database

LONG = 30.0  # seconds: the disk of a busy machine takes half of one for a commit


def an_order(at: float = 1_750_000_000.123, amount: int = 900) -> Order:
    return Order(
        id=new_order_id(at),
        customer_id="cus_1",
        currency="EUR",
        items=(Item("tea-01", 2, 450), Item("ü-" + "x" * 62, 1, 0)),
        amount=amount,
        status=Status.PENDING,
        created_at=datetime.fromtimestamp(at, UTC),
    )


async def count(database: Database) -> int:
    async with database.transaction() as connection:
        return await connection.scalar(select(func.count()).select_from(orders)) or 0


async def test_what_is_added_is_found(database: Database) -> None:
    store, order = SqlOrders(database), an_order()
    assert await store.add(order, None, "print") == (order, "print")
    found = await store.get(order.id)
    assert found == order
    assert found is not None
    assert found.created_at.utcoffset() is not None
    assert await store.get(new_order_id(1)) is None


async def test_an_amount_may_be_larger_than_32_bits(database: Database) -> None:
    store, order = SqlOrders(database), an_order(amount=2**62)
    await store.add(order, None, "print")
    found = await store.get(order.id)
    assert found is not None
    assert found.amount == 2**62


async def test_a_settled_order_stays_as_it_is(database: Database) -> None:
    store, order, other = SqlOrders(database), an_order(), an_order()
    await store.add(order, None, "print")
    await store.add(other, None, "print")
    await store.settle(order.id, Status.AUTHORISED)
    await store.settle(order.id, Status.DECLINED)
    statuses = {found.id: found.status for found in await store.page(None, 10)}
    assert statuses == {order.id: Status.AUTHORISED, other.id: Status.PENDING}


async def test_one_key_at_the_same_time_is_one_row(database: Database) -> None:
    database.update(pool_wait=LONG, deadline_share=0.8)
    store = SqlOrders(database)
    assert not await store.has("key")
    added = await asyncio.gather(*(store.add(an_order(), "key", str(n)) for n in range(20)))
    [(order, fingerprint)] = set(added)
    assert await store.get(order.id) == order
    assert int(fingerprint) in range(20)
    assert await count(database) == 1
    assert await store.has("key")


async def test_orders_without_a_key_do_not_meet(database: Database) -> None:
    database.update(pool_wait=LONG, deadline_share=0.8)
    store = SqlOrders(database)
    await asyncio.gather(*(store.add(an_order(), None, "print") for _ in range(20)))
    assert await count(database) == 20


async def test_pages_cover_all_once(database: Database) -> None:
    store = SqlOrders(database)
    stored = [an_order(at=1_750_000_000 + n) for n in range(7)]
    for order in stored:
        await store.add(order, None, "print")
    seen: list[Order] = []
    after = None
    while page := await store.page(after, 3):
        assert len(page) <= 3
        seen += page
        after = page[-1].id
    assert seen == stored[::-1]
