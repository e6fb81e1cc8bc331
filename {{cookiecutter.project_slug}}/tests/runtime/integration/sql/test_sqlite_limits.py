"""An embedded file that is locked or full: a clear error in time, and nothing lost."""

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError

from steadfast_service.gateways.sql.migrate import migrate_to
from steadfast_service.gateways.sql.orders import SqlOrders
from steadfast_service.runtime.database.engine import Database
from steadfast_service.runtime.deadlines import DeadlineExceeded
from steadfast_service.runtime.errors import DependencyUnavailable

from ....integration.sql.conftest import opened
from ....integration.sql.test_store import an_order, count
from .requests import assert_whole, request


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.db"


@pytest.fixture
async def embedded(path: Path) -> AsyncIterator[Database]:
    """A migrated SQLite database."""
    url = f"sqlite:///{path}"
    await migrate_to(url, "head")
    it = opened(url)
    yield it
    await it.close()


async def test_a_locked_file_is_waited_for_within_the_deadline(
    embedded: Database, path: Path
) -> None:
    store = SqlOrders(embedded)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for seconds in (0.4, 1.0):  # the same connection, with another limit each time
            began = time.monotonic()
            with request(seconds), pytest.raises((DependencyUnavailable, DeadlineExceeded)):
                await store.add(an_order(), None, "print")
            assert seconds * 0.5 < time.monotonic() - began < seconds
        assert await store.page(None, 10) == []  # reading goes on
        other.execute("COMMIT")
    await store.add(an_order(), None, "print")
    assert await count(embedded) == 1
    await assert_whole(embedded)


async def test_a_full_disk_is_a_clear_error_and_loses_nothing(
    embedded: Database, path: Path
) -> None:
    size = {"pages": 20}

    @event.listens_for(embedded.engine.sync_engine, "checkout")
    def bounded(connection: DBAPIConnection, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={size['pages']}")
        cursor.close()

    store = SqlOrders(embedded)
    accepted = []
    with pytest.raises(DependencyUnavailable, match="database or disk is full"):  # noqa: PT012
        for _ in range(1000):
            order = an_order()
            await store.add(order, None, "print")
            accepted.append(order)
    assert accepted
    assert set(await store.page(None, 1000)) == set(accepted)
    size["pages"] = 1000
    accepted.append(an_order())
    await store.add(accepted[-1], None, "print")
    assert set(await store.page(None, 1000)) == set(accepted)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    await assert_whole(embedded)


async def test_a_mistake_in_a_statement_stays_what_it_is(embedded: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        async with embedded.transaction() as connection:
            await connection.execute(text("SELECT * FROM missing"))
    await assert_whole(embedded)
