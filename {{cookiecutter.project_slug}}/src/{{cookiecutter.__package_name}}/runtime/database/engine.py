"""One engine per process: embedded SQLite or PostgreSQL, each transaction within its deadline.

A transaction gets at most a share of what is left of the request, the wait for a connection
and a repetition included. PostgreSQL ends a statement itself shortly before that; when it
does not, the transaction is cancelled here.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import structlog
from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from .. import deadlines
from ..errors import DependencyUnavailable
from ..health import CHECK_TIMEOUT
from ..observability.histograms import LoopHistogram
from ..observability.metrics import LATENCY_BUCKETS, Metrics
from . import sqlite
from .failures import ConnectionLost, failure
from .slots import Slots
from .urls import parse_url

if TYPE_CHECKING:
    from . import postgres

# The readiness checks of the database and of its schema. They have connections of their own
# beyond the pool's: a pool that is busy is no reason to send its load to the other pods.
CHECKS = 2

T = TypeVar("T")


class Database:
    """The engine and its pool.

    Args:
        url: `sqlite:///file.db` or `postgresql://user:password@host/name`.
        pool_size: connections at most, beside those of readiness checks. SQLite has one: it
            writes one thing at a time, and a second would wait in its busy handler, which
            knows no order and no deadline.
        pool_wait: seconds to wait for one.
        deadline_share: of what is left of a request, for one transaction.
        statement_timeout: seconds that the server lets a statement run outside of a request
            (PostgreSQL).

    Attributes:
        size: connections at most.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        pool_wait: float,
        deadline_share: float,
        statement_timeout: float,
    ) -> None:
        self.url = parse_url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        self.size = 1 if self.embedded else pool_size
        self._backend: sqlite.Sqlite | postgres.Postgres
        if self.embedded:
            self._backend = sqlite.Sqlite()
        else:
            # Imported here: who stays with SQLite need not load the driver.
            from .postgres import Postgres

            self._backend = Postgres(statement_timeout)
        # Among them the time that a connection may take, and its end while it is set up.
        self._not_opened: tuple[type[Exception], ...] = (OSError, *self._backend.untranslated)
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=self.size,
            max_overflow=CHECKS,
            **self._backend.options(),
        )
        self._backend.attach(self.engine.sync_engine)
        self._slots = Slots(self.size, pool_wait)
        self._share = deadline_share
        self._retries = 0
        self._transactions = LoopHistogram(
            "database_transaction_seconds",
            "Time of a transaction with its repetition, from the connection to the commit.",
            ("outcome",),
            LATENCY_BUCKETS,
        )
        self._committed = self._transactions.labels("committed")
        self._rolled_back = self._transactions.labels("rolled_back")
        self._log = structlog.get_logger().bind(logger="database")

    def update(self, *, pool_wait: float, deadline_share: float, **_: object) -> None:
        """Hold later transactions to these; what else there is waits for a restart."""
        self._slots.wait, self._share = pool_wait, deadline_share

    async def verify(self) -> None:
        """Refuse to start on an embedded file that cannot be written.

        A PostgreSQL server that is down is another matter: it comes back, and until then
        the service is not ready.
        """
        if self.embedded and self.url.database:
            await sqlite.verify(self.url.database)

    async def run(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, repeatable: bool = False
    ) -> T:
        """Do `work` in a transaction, and once more on a new connection if the first is lost.

        It is repeated when the server never answered to its BEGIN, and so has none of it.
        `work` may speak to its connection only.

        Args:
            repeatable: doing it twice is as good as once, so it is also repeated when it may
                have been done.

        Raises:
            DeadlineExceeded: the share of the request's deadline is used up.
            DependencyUnavailable: no connection to be had, or it broke.
        """
        async with self._turn() as until:
            return await self._run(work, until, repeatable)

    async def check(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do a readiness check's work: beside the pool, and within a probe's time."""
        return await self._run(work, time.monotonic() + CHECK_TIMEOUT, repeatable=True)

    async def _run(
        self, work: Callable[[AsyncConnection], Awaitable[T]], until: float, repeatable: bool
    ) -> T:
        try:
            async with self._begun(until) as connection:
                return await work(connection)
        except ConnectionLost as lost:
            if lost.sent and not repeatable:
                raise
            self._log.info("connection lost, once more", error=str(lost))
        self._retries += 1
        async with self._begun(until) as connection:
            return await work(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction as a block, which nobody can repeat.

        Committed at the end, rolled back on an exception. Raises what `run` does.
        """
        async with self._turn() as until, self._begun(until) as connection:
            yield connection

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[float]:
        """Time and a place in the pool; yields the instant at which the time is up."""
        async with deadlines.within(self._share, "the database") as seconds:
            until = time.monotonic() + seconds
            await self._slots.acquire()
            began, ended = time.monotonic(), self._rolled_back
            try:
                yield until
                ended = self._committed
            finally:
                self._slots.release()
                ended.observe(time.monotonic() - began)

    @asynccontextmanager
    async def _begun(self, until: float) -> AsyncIterator[AsyncConnection]:
        connection: AsyncConnection | None = None
        sent: Callable[[], bool] = bool  # nothing yet
        try:
            async with self.engine.connect() as connection, connection.begin():
                sent = await self._backend.limit(connection, until)
                yield connection
        except exc.DBAPIError as error:
            if connection is None:
                raise DependencyUnavailable("database", f"{error.orig}") from error
            meant = failure(error, sent=sent())
            if meant is None:
                raise
            raise meant from error
        except ConnectionError as error:
            if connection is None:
                raise DependencyUnavailable("database", f"{error}") from error
            raise ConnectionLost("database", f"{error}", sent=sent()) from error
        except self._not_opened as error:
            if connection is not None:
                raise
            raise DependencyUnavailable("database", f"{error}") from error

    async def ping(self) -> None:
        """The readiness check."""
        await self.check(_select_1)

    async def close(self) -> None:
        await self.engine.dispose()

    def in_use(self) -> int:
        """Connections that are checked out."""
        return self._slots.taken

    def waiting(self) -> int:
        """Transactions that wait for a connection."""
        return self._slots.waiting

    def report(self, metrics: Metrics) -> None:
        """Show the pool from now on."""
        slots = self._slots
        metrics.registry.register(slots.histogram)
        metrics.registry.register(self._transactions)
        metrics.waits.append(("database", "database", self._transactions))
        metrics.waits.append(("waiting for a connection", "pool", slots.histogram))
        metrics.gauge("database_connections_in_use", "Connections taken.", self.in_use)
        metrics.gauge("database_connections_limit", "Connections at most.", lambda: slots.size)
        metrics.gauge("database_pool_waiting", "Waiting for a connection.", self.waiting)
        metrics.counter(
            "database_pool_timeouts",
            "Transactions refused because no connection became free.",
            (),
            lambda: [((), slots.timeouts)],
        )
        metrics.counter(
            "database_transaction_retries",
            "Transactions done once more because their connection was lost.",
            (),
            lambda: [((), self._retries)],
        )


async def _select_1(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT 1"))
