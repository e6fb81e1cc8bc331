"""`python -m tools.drill.generator`: an open-loop load generator, in a process of its own.

Requests leave on a schedule that does not wait for answers, and their latency counts from
the moment at which they were due: a service that stalls cannot hide the requests that it
kept from being sent. How late the generator itself was is recorded with every request.

It reads a plan as one JSON line from standard input, then `{"rate": 50}` to change the rate,
and stops at the end of the input.
"""

import asyncio
import heapq
import os
import resource
import sys
import time
from pathlib import Path
from typing import BinaryIO

import orjson
import uvloop

from .connection import Exchange, Pool
from .traffic import TICK, Plan, Traffic

BACK_OFF = 0.1  # seconds that a closed client waits after a refusal


class Generator:
    """Sends what is due, gives up what is overdue."""

    def __init__(self, plan: Plan, out: BinaryIO) -> None:
        self._plan = plan
        self._out = out
        self._traffic = Traffic(plan)
        self._pool = Pool(plan.host, plan.port, limit=plan.connections, done=self._done)
        self._overdue: list[tuple[float, int, Exchange]] = []
        self._count = 0
        self._stopped = False
        self.rate = plan.rate

    async def run(self) -> None:
        """Until it is stopped and the last request has ended."""
        for _ in range(self._plan.closed):
            self._send(time.monotonic())
        due = tick = time.monotonic()
        while not self._stopped or self._pool.busy:
            now = time.monotonic()
            if self._plan.closed or self._stopped or self.rate <= 0:
                due = now
            while due < now:
                self._send(due)
                due += 1 / self.rate
            self._give_up(now)
            tick = max(tick + TICK, now)
            await asyncio.sleep(tick - now)

    def stop(self) -> None:
        """Send no more."""
        self._stopped = True

    def _send(self, due: float) -> None:
        exchange = self._traffic.next(due)
        exchange.sent = time.monotonic()
        self._count += 1
        heapq.heappush(self._overdue, (due + exchange.patience, self._count, exchange))
        self._pool.dispatch(exchange)

    def _give_up(self, now: float) -> None:
        while self._overdue and (self._overdue[0][0] <= now or self._overdue[0][2].ended):
            _, _, exchange = heapq.heappop(self._overdue)
            self._pool.give_up(exchange, "hung up" if exchange.hang_up else "no answer")

    def _done(self, exchange: Exchange) -> None:
        order = self._traffic.answered(exchange)
        row = (
            exchange.route,
            exchange.intended,
            exchange.sent,
            exchange.ended,
            exchange.status,
            exchange.error,
            exchange.key,
            order,
        )
        self._out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        if self._plan.closed and not self._stopped:
            pause = BACK_OFF if exchange.status in (503, 429) else 0
            asyncio.get_running_loop().call_later(pause, self._again)

    def _again(self) -> None:
        if not self._stopped:
            self._send(time.monotonic())


async def main() -> None:
    """Run the plan on standard input."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    plan = Plan(**orjson.loads(await reader.readline()))
    if plan.core is not None:
        os.sched_setaffinity(0, {plan.core})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Path(plan.records).open("wb", buffering=1 << 20) as out:  # noqa: ASYNC230
        generator = Generator(plan, out)
        running = asyncio.create_task(generator.run())
        while line := await reader.readline():
            generator.rate = orjson.loads(line)["rate"]
        generator.stop()
        await running


if __name__ == "__main__":
    uvloop.run(main())
