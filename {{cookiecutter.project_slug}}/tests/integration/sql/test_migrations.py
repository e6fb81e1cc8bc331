"""The schema goes up and down on both databases and ends where the code expects it."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from steadfast_service.gateways.sql import migrate
from steadfast_service.gateways.sql.migrate import migrate_to
from steadfast_service.gateways.sql.schema import metadata
from steadfast_service.runtime.database.engine import Database
from steadfast_service.runtime.errors import StartupError

from ...support.process import command, environment, serving


async def test_up_and_down(url: str) -> None:
    assert await migrate_to(url, "head") == migrate.HEAD
    assert await migrate_to(url, "head") == migrate.HEAD
    assert await migrate_to(url, "base") == "base"
    assert await migrate_to(url, "head") == migrate.HEAD


async def test_the_tables_are_those_of_the_code(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        found: list[object] = compare_metadata(MigrationContext.configure(connection), metadata)
        return found

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_the_head_is_that_of_the_scripts() -> None:
    config = Config()
    folder = Path(migrate.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD


async def test_replicas_that_start_together(url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("an embedded database has one process")
    assert set(await asyncio.gather(*(migrate_to(url, "head") for _ in range(4)))) == {migrate.HEAD}


async def test_an_unmigrated_database_is_not_ready(url: str) -> None:
    database = Database(url, pool_size=1, pool_wait=1.0, statement_timeout=5.0)
    with pytest.raises(StartupError, match="run `migrate`"):
        await migrate.check_schema(database)
    await database.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://localhost/orders", "APP_DATABASE__URL: mysql is not supported"),
        ("orders.db", "APP_DATABASE__URL: not a database URL"),
        ("postgresql:///orders", "APP_DATABASE__URL: the database URL names no host"),
        ("sqlite:////nowhere/at/all/orders.db", "database /nowhere/at/all/orders.db: unable"),
    ],
)
@pytest.mark.parametrize("word", ["serve", "migrate"])
def test_a_bad_url_is_one_line(tmp_path: Path, word: str, url: str, says: str) -> None:
    done = command(word, env=environment(tmp_path, DATABASE__URL=url))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {says}"), done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("word", ["serve", "migrate"])
def test_a_file_that_is_no_database_is_one_line(tmp_path: Path, word: str) -> None:
    (tmp_path / "orders.db").write_bytes(b"not a database " * 1000)
    done = command(word, env=environment(tmp_path))
    assert done.returncode == 1
    assert done.stderr.endswith("file is not a database\n")
    assert len(done.stderr.splitlines()) == 1


def test_an_unknown_revision_is_one_line(tmp_path: Path) -> None:
    done = command("migrate", "--to", "9999", env=environment(tmp_path))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "9999" in done.stderr


def test_serves_after_migrating(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        process.signal()
        assert process.wait() == 0
