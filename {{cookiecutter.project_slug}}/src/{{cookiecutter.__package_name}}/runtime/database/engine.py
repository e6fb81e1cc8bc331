"""One engine per process: embedded SQLite or PostgreSQL, each transaction within its deadline.

A transaction gets at most 80 % of what is left of the request. When that is used up it is
cancelled here, and the driver cancels it on the server; `statement_timeout` bounds what
runs on there should this process die.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from sqlalchemy import event, exc, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from .. import deadlines
from ..errors import DependencyUnavailable, StartupError

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
# Of a PostgreSQL URL; anything else the driver would only refuse when it connects.
PARAMETERS = frozenset({"ssl", "passfile", "target_session_attrs", "prepared_statement_cache_size"})


def parse_url(url: str) -> URL:
    """A database URL with the asynchronous driver filled in.

    Raises:
        ValueError: not a URL, or a database that is not supported here.
    """
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):  # its own words may show a part of the password
        raise ValueError("not a database URL") from None
    driver = DRIVERS.get(parsed.drivername, parsed.drivername)
    if driver not in DRIVERS.values():
        raise ValueError(f"{parsed.drivername} is not supported, use sqlite or postgresql")
    if driver == DRIVERS["sqlite"]:
        if parsed.database in (None, "", ":memory:"):
            raise ValueError("the database URL names no file")
        return parsed.set(drivername=driver)
    if not parsed.host:
        raise ValueError("the database URL names no host")
    # The driver's name for what every provider's URL calls sslmode.
    query = {"ssl" if name == "sslmode" else name: value for name, value in parsed.query.items()}
    if unknown := query.keys() - PARAMETERS:
        raise ValueError(f"the database URL has a parameter {min(unknown)}, which is not supported")
    return parsed.set(drivername=driver, query=query)


class Database:
    """The engine and its pool.

    Args:
        url: `sqlite:///file.db` or `postgresql://user:password@host/name`.
        pool_size: connections at most.
        pool_wait: seconds to wait for one.
        statement_timeout: seconds that the server lets any statement run (PostgreSQL).
    """

    def __init__(
        self, url: str, *, pool_size: int, pool_wait: float, statement_timeout: float
    ) -> None:
        self.url = parse_url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        options = {} if self.embedded else {"statement_timeout": str(int(statement_timeout * 1000))}
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_wait,
            pool_pre_ping=not self.embedded,
            connect_args={} if self.embedded else {"timeout": 5, "server_settings": options},
        )
        if self.embedded:
            event.listen(self.engine.sync_engine, "connect", _configure_sqlite)

    async def verify(self) -> None:
        """Refuse to start on an embedded file that cannot be written.

        A PostgreSQL server that is down is another matter: it comes back, and until then
        the service is not ready.
        """
        if not self.embedded or not self.url.database:
            return
        try:
            await asyncio.to_thread(_write_probe, self.url.database)
        except sqlite3.Error as error:
            raise StartupError(f"database {self.url.database}: {error}") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction: committed at the end, rolled back on an exception.

        Raises:
            DeadlineExceeded: the share of the request's deadline is used up.
            DependencyUnavailable: no connection to be had, or it broke.
        """
        try:
            async with (
                deadlines.within(deadlines.DATABASE_SHARE, "the database"),
                self.engine.begin() as connection,
            ):
                yield connection
        except exc.TimeoutError as error:
            raise DependencyUnavailable("database", "no free connection") from error
        except exc.DBAPIError as error:
            if isinstance(error, exc.OperationalError | exc.InterfaceError) or (
                error.connection_invalidated
            ):
                raise DependencyUnavailable("database", str(error.orig)) from error
            raise
        except OSError as error:
            raise DependencyUnavailable("database", f"{error}") from error

    async def ping(self) -> None:
        """The readiness check."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()

    def in_use(self) -> int:
        """Connections that are checked out; 0 for pools that do not count."""
        count = getattr(self.engine.pool, "checkedout", None)
        return count() if count else 0


def _write_probe(path: str) -> None:
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()


def _configure_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # Readers do not block the writer; a second writer waits for up to 5 s.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
