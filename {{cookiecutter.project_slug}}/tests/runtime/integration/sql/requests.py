"""What the tests of transactions share: a request with little time, a pool that is whole."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from steadfast_service.gateways.sql.schema import orders
from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.database.engine import Database


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
    together = asyncio.Barrier(database.size)

    async def work() -> None:
        async with database.transaction() as connection:
            await together.wait()
            await connection.execute(select(orders.c.id).limit(1))

    assert database.in_use() == 0
    async with asyncio.timeout(10):
        await asyncio.gather(*(work() for _ in range(database.size)))
    assert database.in_use() == 0
    assert database.engine.pool.status().endswith("Checked out connections: 0")
