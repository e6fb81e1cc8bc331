"""Slowloris: connections that send byte by byte, or nothing, and never finish."""

import asyncio
import time
from contextlib import suppress

from ...package import request_timeout
from ..ledger import nothing_lost
from ..processes import HOST
from ..records import Kind
from ..stage import Drill, Stage

DRIP = 2.0  # seconds between two bytes
STEP = 0.002  # seconds between two of them: it is not their coming that is the attack
# What a connection starts with; a byte at a time follows, for ever.
HEAD = b"GET /api/version HTTP/1.1\r\nHost: drill\r\nX-Slow: "
BODY = (
    b"POST /api/orders HTTP/1.1\r\nHost: drill\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100000\r\n\r\n"
)
OPENINGS = {"silent": b"", "head": HEAD, "body": BODY}
# Seconds that the service may bear with one of them: the deadline of a request, then the
# time for a body that nobody reads any more, and a bit.
LIMIT = request_timeout() + 10.0 + 2.0
MEBI = 1 << 20


async def run(stage: Stage) -> None:
    attackers = int(stage.either(300, 60))
    async with stage.scene(stage.either(100, 50)) as (world, load):
        process = world.service.process
        before = await stage.steady("before", 10, 2)
        resident = process.resident()
        lived: dict[str, list[float]] = {name: [] for name in OPENINGS}
        with stage.fault(f"{3 * attackers} slow connections") as fault:
            tasks = []
            for name, opening in list(OPENINGS.items()) * attackers:
                slow = _drip(world.service.port, opening, lived[name])
                tasks.append(asyncio.create_task(slow))
                await asyncio.sleep(STEP)
            await stage.steady("slow", LIMIT + 4, 4)
            grown = process.resident() - resident
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await stage.steady("after", 3, 1)
        records = await stage.end(load)

        card = stage.card
        card.none("requests of others that fail", records.where(lambda r: r.kind is not Kind.OK))
        stage.unaffected(
            records.between(before.begin, before.end), records.between(fault.begin, fault.end)
        )
        card.at_most("memory per slow connection", grown / 1024 / len(tasks), 64, "KiB")
        if stage.short:
            card.shown("how long each is borne with", "a short run ends before the limits")
        else:
            for name, seconds in lived.items():
                text = f"a slow {name} is borne with, longest of {len(seconds)} of {attackers}"
                longest = max(seconds, default=0) if len(seconds) == attackers else float("inf")
                card.at_most(text, longest, LIMIT, "s")
        await nothing_lost(stage, world, records)


async def _drip(port: int, opening: bytes, lived: list[float]) -> None:
    """Be slow until the service has enough of it; how long that took goes into `lived`."""
    reader, writer = await asyncio.open_connection(HOST, port)
    began = time.monotonic()
    try:
        with suppress(ConnectionError, RuntimeError):  # uvloop's word for one that is closed
            writer.write(opening)
            while not reader.at_eof():
                if opening:
                    writer.write(b"a")
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(4096), DRIP)
        lived.append(time.monotonic() - began)
    finally:
        writer.close()


DRILL = Drill("slow-clients", "slowloris: connections that never finish", run)
