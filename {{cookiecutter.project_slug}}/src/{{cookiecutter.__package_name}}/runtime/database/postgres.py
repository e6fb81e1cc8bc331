"""PostgreSQL: a transaction's limit travels with its BEGIN, which is also its ping."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from asyncpg import (  # type: ignore[import-untyped]
    Connection,
    ConnectionDoesNotExistError,
    InterfaceError,
    PostgresError,
)
from sqlalchemy import Engine, event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from ..context import NO_DEADLINE

CONNECT_TIMEOUT = 5.0
# Seconds for the server to confirm that it stopped a statement whose request was cancelled.
# One that does not is cut off; the statement's own limit ends it there.
CLOSE_TIMEOUT = 0.5
# One without a statement has nothing to confirm but the end itself, and a shutdown closes the
# whole pool, one after the other.
IDLE_CLOSE_TIMEOUT = 0.1
# Of the time that is left. The server ends a statement before the client has to: that
# keeps the connection, which a cancellation in the middle of a statement costs.
STATEMENT_SHARE = 0.95
# A server that has not said anything to BEGIN by then is gone without a word, as after a
# failover; the rest is for a new connection. Shorter silences (seconds) mean nothing: a caller
# with little time must not cost the pool its connections.
BEGIN_SHARE = 0.5
MIN_SILENCE = 0.25
# SQLSTATEs of a server that is about to close this connection, is starting, or is not the
# primary any more: the connections that are left are no better.
GOING = frozenset({"57P01", "57P02", "57P03", "25006"})


class BoundedConnection(Connection):  # type: ignore[misc]
    """A driver's connection that tells the server how long its transaction may take.

    asyncpg sends its BEGIN through `execute`. The limits go in the same message, which
    makes it one round trip with the proof that the connection is alive; a ping before
    each transaction would be three more.

    Attributes:
        until: the instant of `time.monotonic()` at which its transaction has to be over.
        begun: the server has answered to its BEGIN.
    """

    until = NO_DEADLINE
    begun = False

    async def execute(
        self,
        query: str,
        *args: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - the driver's
    ) -> str:
        """As the driver has it, but for BEGIN."""
        if args or not query.startswith("BEGIN"):
            return await super().execute(query, *args, timeout=timeout)  # type: ignore[no-any-return]
        silence = None
        if self.until != NO_DEADLINE:
            left = max(self.until - time.monotonic(), 0.0)
            limit = max(1, int(left * STATEMENT_SHARE * 1000))
            query += (
                f"SET LOCAL statement_timeout={limit};"
                # For a client that stops in the middle: its locks must not stay.
                f"SET LOCAL idle_in_transaction_session_timeout={2 * limit}"
            )
            silence = max(left * BEGIN_SHARE, MIN_SILENCE)
        try:
            status: str = await super().execute(query, timeout=silence)
        except TimeoutError:
            self.terminate()
            raise ConnectionDoesNotExistError("no answer to BEGIN") from None
        self.begun = True
        return status

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """As the driver has it, but bounded: a server that hangs does not answer."""
        if self.is_closed():
            return
        limit = CLOSE_TIMEOUT if self.is_in_transaction() else IDLE_CLOSE_TIMEOUT
        with suppress(TimeoutError):  # it has been cut off
            await super().close(timeout=min(timeout or limit, limit))


class Postgres:
    """Statements that the server itself ends in time.

    Args:
        statement_timeout: seconds that any statement outside of a request may run.

    Attributes:
        untranslated: what the driver raises while SQLAlchemy sets up a new connection.
    """

    untranslated: tuple[type[Exception], ...] = (InterfaceError, PostgresError)

    def __init__(self, statement_timeout: float) -> None:
        self._statement_timeout = statement_timeout

    def options(self) -> dict[str, Any]:
        """For `create_engine`."""
        return {
            "connect_args": {
                "timeout": CONNECT_TIMEOUT,
                "connection_class": BoundedConnection,
                "server_settings": {
                    "statement_timeout": str(int(self._statement_timeout * 1000)),
                },
            }
        }

    def attach(self, engine: Engine) -> None:
        """Keep no connection that is known to be of no more use."""
        event.listen(engine, "checkout", _fresh)
        event.listen(engine, "handle_error", _going)

    async def limit(self, connection: AsyncConnection, until: float) -> Callable[[], bool]:
        """Bound its transaction by an instant; returns whether anything was sent since."""
        assert connection.sync_connection is not None
        driver = connection.sync_connection.connection.driver_connection
        assert isinstance(driver, BoundedConnection)
        driver.until = until
        return lambda: driver.begun


def _fresh(_: DBAPIConnection, __: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
    driver = proxy.driver_connection
    assert isinstance(driver, BoundedConnection)
    driver.until, driver.begun = NO_DEADLINE, False
    if driver.is_closed():
        raise exc.DisconnectionError


def _going(context: ExceptionContext) -> None:
    if getattr(context.original_exception, "sqlstate", None) in GOING:
        context.is_disconnect = True
