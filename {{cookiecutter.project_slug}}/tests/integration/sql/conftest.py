"""Both databases, fresh and migrated."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from steadfast_service.gateways.sql.migrate import migrate_to
from steadfast_service.runtime.database.engine import Database

from .postgres import postgres_database, postgres_server

POOL_SIZE = 5


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of one PostgreSQL server for all tests of this folder."""
    with postgres_server() as url:
        yield url


@pytest.fixture
async def postgres_url(server: str) -> AsyncIterator[str]:
    """The URL of an empty PostgreSQL database of the test's own."""
    async with postgres_database(server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'orders.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


def opened(url: str) -> Database:
    """A small pool; the server's own limit is far away, so that it ends no statement here."""
    return Database(
        url,
        pool_size=POOL_SIZE,
        pool_wait=0.5,
        deadline_share=0.8,
        statement_timeout=300.0,
    )


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """A migrated database of each kind."""
    await migrate_to(url, "head")
    it = opened(url)
    yield it
    await it.close()


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Database]:
    """A migrated PostgreSQL database."""
    await migrate_to(postgres_url, "head")
    it = opened(postgres_url)
    yield it
    await it.close()
