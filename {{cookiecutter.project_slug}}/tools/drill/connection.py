"""The generator's HTTP/1.1: kept connections that carry one request at a time."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import httptools


@dataclass(slots=True)
class Exchange:
    """One request and what became of it. Times are seconds of the monotonic clock.

    `status` 0 is no answer at all; `error` then says why.
    """

    route: str
    data: bytes
    intended: float
    patience: float
    key: str = ""
    hang_up: bool = False
    sent: float = 0.0
    ended: float = 0.0
    status: int = 0
    error: str = ""
    body: bytearray = field(default_factory=bytearray)
    connection: "Connection | None" = None


class Connection(asyncio.Protocol):
    """Carries the exchanges that the pool gives it."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport
        self._parser: httptools.HttpResponseParser

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has no common base

    def send(self, exchange: Exchange) -> None:
        """Write the request; the answer ends the exchange."""
        self._exchange = exchange
        exchange.connection = self
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(exchange.data)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, AttributeError):
            self._fail("not HTTP")
            self._transport.abort()

    def on_body(self, body: bytes) -> None:
        if self._exchange is not None and self._exchange.key:
            self._exchange.body += body

    def on_message_complete(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        exchange.status = self._parser.get_status_code()
        kept = self._parser.should_keep_alive()
        if not kept:
            self._transport.close()
        self._pool.finished(exchange, self if kept else None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("reset" if exc else "closed without an answer")
        self._pool.lost(self)

    def give_up(self, why: str) -> None:
        """End the exchange from this side, as a client does whose patience is over."""
        self._transport.abort()
        self._fail(why)

    def _fail(self, why: str) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.error = why
            self._pool.finished(exchange, None)


class Pool:
    """Gives each exchange a free connection, a new one, or a place in the row.

    Args:
        limit: connections at most.
        done: called with every exchange that has ended.
    """

    def __init__(
        self, host: str, port: int, *, limit: int, done: Callable[[Exchange], None]
    ) -> None:
        self._address = (host, port)
        self._limit = limit
        self._done = done
        self._idle: list[Connection] = []
        self._waiting: deque[Exchange] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._open = 0
        self.busy = 0

    def dispatch(self, exchange: Exchange) -> None:
        """Send it as soon as there is a connection."""
        self.busy += 1
        if self._idle:
            self._idle.pop().send(exchange)
            return
        self._waiting.append(exchange)
        if self._open < self._limit and len(self._opening) < len(self._waiting):
            self._open += 1
            task = asyncio.create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(5):
                _, connection = await loop.create_connection(
                    lambda: Connection(self), *self._address
                )
        except (OSError, TimeoutError):
            self._open -= 1
            if exchange := self._next():
                exchange.error = "no connection"
                self.finished(exchange, None)
        else:
            self._free(connection)

    def _next(self) -> Exchange | None:
        """The first in the row that has not given up meanwhile."""
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.ended:
                return exchange
        return None

    def _free(self, connection: Connection) -> None:
        if exchange := self._next():
            connection.send(exchange)
        else:
            self._idle.append(connection)

    def finished(self, exchange: Exchange, connection: Connection | None) -> None:
        """An exchange has ended; its connection serves the next where it is still there."""
        exchange.ended = time.monotonic()
        exchange.connection = None
        self.busy -= 1
        if connection is not None:
            self._free(connection)
        self._done(exchange)

    def lost(self, connection: Connection) -> None:
        """A connection has gone."""
        self._open -= 1
        if connection in self._idle:
            self._idle.remove(connection)

    def give_up(self, exchange: Exchange, why: str) -> None:
        """The client's patience is over."""
        if exchange.ended:
            return
        if exchange.connection is not None:
            exchange.connection.give_up(why)
        else:
            exchange.error = why
            self.finished(exchange, None)
