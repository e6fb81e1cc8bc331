"""Both databases, fresh and migrated."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from steadfast_service.gateways.sql.migrate import migrate_to
from steadfast_service.runtime.database.engine import Database

from ...support.postgres import Cluster, cluster


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster for all tests of this folder."""
    with cluster(tmp_path_factory.mktemp("postgres")) as it:
        yield it


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of an empty database; emptied again at the end."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    postgres: Cluster = request.getfixturevalue("postgres")
    await migrate_to(postgres.url, "base")
    yield postgres.url
    await migrate_to(postgres.url, "base")


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """A migrated database."""
    await migrate_to(url, "head")
    it = Database(url, pool_size=5, pool_wait=2.0, statement_timeout=5.0)
    yield it
    await it.close()
