"""Embedded SQLite: one file, one writer at a time."""

import asyncio
import math
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import ConnectionPoolEntry

from ..errors import StartupError

BUSY_TIMEOUT = 5000  # ms that a writer waits for another one, at most
# Limits are set in such steps, so that requests of one kind need not set it again each time.
STEP = 250  # ms


class _Handle(sqlite3.Connection):
    """Closed by whoever lets go of it: aiosqlite drops the one whose opening is cancelled."""

    def __del__(self) -> None:
        self.close()


class Sqlite:
    """Waits for a locked file for no longer than its request has; the rest is a local call."""

    untranslated: tuple[type[Exception], ...] = ()

    def options(self) -> dict[str, Any]:
        """For `create_engine`."""
        return {"connect_args": {"factory": _Handle}}

    def attach(self, engine: Engine) -> None:
        """Set up every connection of this engine."""
        event.listen(engine, "connect", _configure)

    async def limit(self, connection: AsyncConnection, until: float) -> Callable[[], bool]:
        """Bound its transaction by an instant; returns whether anything was sent since."""
        left = (until - time.monotonic()) * 1000
        limit = BUSY_TIMEOUT if math.isinf(left) else max(1, min(int(left), BUSY_TIMEOUT))
        limit = limit - limit % STEP or limit
        assert connection.sync_connection is not None
        info = connection.sync_connection.info
        if info.get("busy_timeout", BUSY_TIMEOUT) != limit:
            await connection.exec_driver_sql(f"PRAGMA busy_timeout={limit}")
            info["busy_timeout"] = limit
        return lambda: True


async def verify(path: str) -> None:
    """Refuse to start on a file that cannot be written.

    Raises:
        StartupError: so it is.
    """
    try:
        await asyncio.to_thread(_write_probe, path)
    except sqlite3.Error as error:
        raise StartupError(f"database {path}: {error}") from error


def _write_probe(path: str) -> None:
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()


def _configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # Readers do not block the writer.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_TIMEOUT}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
