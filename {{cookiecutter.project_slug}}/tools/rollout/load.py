"""A load that is kept up while something else happens, each request tried once only."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from tools.drill.connection import Exchange, Pool
from tools.drill.records import Kind, Record, Records

NEW = "new connection"
KEPT = "kept connection"
# Enough for some to end at each pod. Each is used in turn, so that all hear of the drain.
KEPT_CONNECTIONS = 8
NEW_CONNECTIONS = 1000
TICK = 0.005  # seconds
ENOUGH = 10  # answers in a row, of each kind of connection, before anything is judged


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for.

    Attributes:
        post: where every other request goes with `body`; empty: all are GET of `path`.
        headers: lines to add, as `Name: value`.
    """

    host: str
    port: int
    path: str
    post: str = ""
    body: bytes = b""
    headers: tuple[str, ...] = ()

    def request(self, *, posts: bool, close: bool) -> tuple[str, bytes]:
        """The route, for people, and what is sent."""
        method, path = ("POST", self.post) if posts else ("GET", self.path)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", *self.headers]
        if posts:
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
            lines += [f"Idempotency-Key: {uuid4()}"]
        if close:
            lines += ["Connection: close"]
        data = "\r\n".join([*lines, "", ""]).encode()
        return f"{method} {path}", data + self.body if posts else data


class Load:
    """Requests on a schedule that does not wait for answers.

    Half of them open a connection of their own; the others share a few that stay open.

    Args:
        rate: requests per second.
        patience: seconds after which a request without an answer has failed.
    """

    def __init__(self, target: Target, rate: float, patience: float) -> None:
        self._target = target
        self._rate = rate
        self._patience = patience
        self._pools = [self._pool(NEW_CONNECTIONS)]
        # Two, since a connection that is being closed counts until it has gone.
        self._pools += [self._pool(2) for _ in range(KEPT_CONNECTIONS)]
        self._sent = 0
        self._stopped = False
        self._in_a_row = {NEW: 0, KEPT: 0}
        self.records: list[Record] = []
        self.warm = asyncio.Event()

    def _pool(self, limit: int) -> Pool:
        return Pool(self._target.host, self._target.port, limit=limit, done=self._done)

    async def run(self) -> None:
        """Until it is stopped and the last request has ended."""
        due = time.monotonic()
        while not self._stopped or any(pool.busy for pool in self._pools):
            while due <= time.monotonic() and not self._stopped:
                self._send(due)
                due += 1 / self._rate
            await asyncio.sleep(TICK)

    def stop(self) -> None:
        """Send no more."""
        self._stopped = True

    def judged(self, since: float) -> Records:
        """Those that were due from then on."""
        return Records(self.records).between(since, float("inf"))

    def _send(self, due: float) -> None:
        number, self._sent = self._sent, self._sent + 1
        new = number % 2 == 0
        posts = bool(self._target.post) and number % 4 > 1
        pool = self._pools[0 if new else 1 + number // 4 % KEPT_CONNECTIONS]
        route, data = self._target.request(posts=posts, close=new)
        exchange = Exchange(f"{route} ({NEW if new else KEPT})", data, due, self._patience)
        exchange.sent = time.monotonic()
        pool.dispatch(exchange)
        asyncio.get_running_loop().call_later(
            self._patience, pool.give_up, exchange, f"no answer in {self._patience:g} s"
        )

    def _done(self, it: Exchange) -> None:
        times = (it.intended, it.sent, it.ended)
        record = Record(it.route, *times, it.status, it.error, it.key, "")
        self.records.append(record)
        kind = NEW if NEW in it.route else KEPT
        self._in_a_row[kind] = self._in_a_row[kind] + 1 if record.kind is Kind.OK else 0
        if min(self._in_a_row.values()) >= ENOUGH:
            self.warm.set()


async def warmed(load: Load, limit: float) -> bool:
    """Whether requests are answered, one after the other, within `limit` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit):
            await load.warm.wait()
    return load.warm.is_set()


def lost(records: Iterable[Record]) -> list[Record]:
    """Those that a caller would call failed: refused, late and cut ones alike."""
    return [record for record in records if record.kind is not Kind.OK]
