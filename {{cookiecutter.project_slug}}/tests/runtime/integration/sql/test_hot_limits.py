"""The database's limits change while transactions wait and run."""

import asyncio
import time
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from steadfast_service.gateways.sql.migrate import migrate_to
from steadfast_service.gateways.sql.store import SqlStore
from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.database.engine import Database
from steadfast_service.runtime.deadlines import DeadlineExceeded, apply
from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.health import Health
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.settings import Database as Settings

from ....support.changing import Changing
from ....support.process import until


async def hold(database: Database, enough: asyncio.Event) -> None:
    """A transaction that has a connection until it is enough."""
    async with database.transaction() as connection:
        await connection.execute(text("SELECT 1"))
        await enough.wait()


async def test_who_waits_does_so_by_the_wait_that_held_then(database: Database) -> None:
    database.update(pool_wait=30, deadline_share=0.8)
    enough = asyncio.Event()
    running = [asyncio.create_task(hold(database, enough)) for _ in range(database.size + 1)]
    await until(lambda: database.waiting() == 1)
    database.update(pool_wait=0.1, deadline_share=0.8)
    with pytest.raises(DependencyUnavailable, match="no free connection"):
        await hold(database, enough)
    assert database.waiting() == 1
    enough.set()
    await asyncio.gather(*running)
    assert database.in_use() == 0


async def test_a_transaction_has_the_share_that_held_when_it_began(database: Database) -> None:
    state = RequestState(time.monotonic(), "a" * 32, "r")
    apply(state, 30)
    token = current.set(state)
    try:
        enough = asyncio.Event()
        before = asyncio.create_task(hold(database, enough))
        await until(lambda: database.in_use() == 1)
        database.update(pool_wait=30, deadline_share=0.01)
        with pytest.raises(DeadlineExceeded):
            await hold(database, asyncio.Event())
        assert time.monotonic() - state.begun < 10
        enough.set()
        await before
    finally:
        current.reset(token)


async def test_the_store_follows_its_settings(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'orders.db'}"
    await migrate_to(url, "head")
    settings = Changing(Settings(url=SecretStr(url)))
    metrics = Metrics()
    store = SqlStore(settings, statement_timeout=5)
    try:
        await store.open(Health(), metrics)
        settings.change(pool_wait=0.05, pool_size=3, url=SecretStr("sqlite:///elsewhere.db"))
        database = store.orders._database
        enough = asyncio.Event()
        running = asyncio.create_task(hold(database, enough))
        await until(lambda: database.in_use() == 1)
        with pytest.raises(DependencyUnavailable, match="no free connection"):
            await hold(database, enough)
        enough.set()
        await running
        assert str(database.url).endswith("orders.db")
    finally:
        await store.close()
