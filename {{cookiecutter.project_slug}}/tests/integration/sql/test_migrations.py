"""The schema goes up and down on both databases and ends where the code expects it."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select, text

from steadfast_service.gateways.sql import migrate
from steadfast_service.gateways.sql.migrate import migrate_to
from steadfast_service.gateways.sql.schema import metadata, orders
from steadfast_service.runtime.database.engine import Database
from steadfast_service.runtime.errors import StartupError

from ...support.process import LIMIT, command, environment
from .conftest import opened


async def tables(url: str) -> set[str]:
    database = opened(url)
    async with database.engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await database.close()
    return set(names) - {"alembic_version"}


async def test_up_and_down(url: str) -> None:
    assert await migrate_to(url, "head") == migrate.HEAD
    assert await tables(url) == set(metadata.tables)
    assert await migrate_to(url, "head") == migrate.HEAD
    assert await migrate_to(url, "base") == "base"
    assert await tables(url) == set()
    assert await migrate_to(url, "head") == migrate.HEAD


async def test_the_tables_are_those_of_the_code(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        found: list[object] = compare_metadata(context, metadata)
        return found

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_the_head_is_that_of_the_scripts() -> None:
    config = Config()
    folder = Path(migrate.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD


async def test_replicas_migrate_one_after_the_other(postgres: Database, tmp_path: Path) -> None:
    url = postgres.url.render_as_string(hide_password=False)
    await migrate_to(url, "base")
    env = environment(tmp_path, DATABASE__URL=url)
    async with postgres.transaction() as connection:  # a third replica, which was first
        await connection.execute(select(func.pg_advisory_xact_lock(migrate.ADVISORY_LOCK)))
        both = asyncio.gather(*(asyncio.to_thread(command, "migrate", env=env) for _ in range(2)))
        waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        async with asyncio.timeout(LIMIT):
            while await connection.scalar(waiting) != 2:
                await asyncio.sleep(0.05)
    for done in await both:
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"schema at {migrate.HEAD}\n"
        assert done.stderr == ""
    assert await tables(url) == set(metadata.tables)


async def test_a_migration_that_fails_says_why(url: str) -> None:
    database = opened(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(orders.create)
    await database.close()
    with pytest.raises(StartupError, match=r"^database: .*already exists"):
        await migrate_to(url, "head")


async def test_an_unmigrated_database_says_what_to_run(url: str) -> None:
    database = opened(url)
    with pytest.raises(StartupError, match=r"at base, this code needs .*: run `migrate`"):
        await migrate.check_schema(database)
    await migrate_to(url, "head")
    await migrate.check_schema(database)
    await database.close()
