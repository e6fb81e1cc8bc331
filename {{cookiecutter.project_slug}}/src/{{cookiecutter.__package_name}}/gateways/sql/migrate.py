"""Brings a database to a revision of the schema, and says which one it has."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from ...runtime.database.engine import Database
from ...runtime.errors import StartupError
from .schema import metadata

# The newest revision; a test holds it against the scripts. Kept here so that the readiness
# check need not load the scripts.
HEAD = "0001"
# Any constant will do: replicas that start together migrate one after the other.
ADVISORY_LOCK = 7_305_824_001


async def migrate_to(url: str, target: str) -> str:
    """Upgrade or downgrade to `target` (`head`, `base` or a revision); returns where it is.

    Raises:
        StartupError: the database cannot be reached or written, or there is no such revision.
    """
    # Imported here: a service that serves does not migrate, and starts 0.2 s sooner.
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    database = Database(
        url, pool_size=1, pool_wait=5.0, deadline_share=1.0, statement_timeout=3600.0
    )

    def run(connection: Connection) -> str:
        if not database.embedded:
            connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": ADVISORY_LOCK})
        before = revision_of(connection)
        config.attributes |= {"connection": connection, "metadata": metadata}
        down = target == "base" or (target != "head" and before is not None and target < before)
        (command.downgrade if down else command.upgrade)(config, target)
        return revision_of(connection) or "base"

    try:
        await database.verify()
        async with database.engine.begin() as connection:
            return await connection.run_sync(run)
    except CommandError as exc:
        raise StartupError(str(exc)) from exc
    except (DBAPIError, OSError) as exc:
        raise StartupError(f"database: {getattr(exc, 'orig', exc)}") from exc
    finally:
        await database.close()


def revision_of(connection: Connection) -> str | None:
    """The revision of the schema in this database, None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


async def check_schema(database: Database) -> None:
    """Fails while the database is at another revision than this code was written for."""
    revision = await database.check(lambda connection: connection.run_sync(revision_of))
    if revision != HEAD:
        raise StartupError(
            f"the schema is at {revision or 'base'}, this code needs {HEAD}: run `migrate`"
        )
