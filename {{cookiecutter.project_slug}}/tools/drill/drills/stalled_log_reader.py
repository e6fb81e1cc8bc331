"""Nobody reads the log stream any more."""

import asyncio
import fcntl
import os

from ..ledger import nothing_lost
from ..records import Kind
from ..stage import Drill, Stage

MEBI = 1 << 20


async def run(stage: Stage) -> None:
    # Every request writes a record of some 300 bytes: pipe and ring are full in a second.
    async with stage.world({"LOG__SAMPLE_RATE": "1", "LOG__RING_SIZE": "30"}) as world:
        reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        loop = asyncio.get_running_loop()
        loop.add_reader(reading, os.read, reading, MEBI)
        try:
            async with (
                world.serving(stdout=writing) as service,
                stage.load(world, rate=stage.either(100, 50)) as load,
            ):
                before = await stage.steady("before", 10, 2)
                resident = service.process.resident()
                with stage.fault("nobody reads the log") as fault:
                    loop.remove_reader(reading)
                    await stage.steady("stalled", 12, 4)
                    dropped = await service.metric("log_records_total", outcome="dropped")
                    grown = service.process.resident() - resident
                loop.add_reader(reading, os.read, reading, MEBI)
                await stage.steady("after", 3, 1)
                records = await stage.end(load)

                card = stage.card
                card.none("requests that fail", records.where(lambda one: one.kind is not Kind.OK))
                stage.unaffected(
                    records.between(before.begin, before.end),
                    records.between(fault.begin, fault.end),
                )
                card.at_least("records that were dropped, and counted", dropped, 1)
                card.at_most("memory grows by", grown / MEBI, 16, "MiB")
                await nothing_lost(stage, world, records)
        finally:
            loop.remove_reader(reading)
            os.close(reading)
            os.close(writing)


DRILL = Drill("stalled-log-reader", "nobody reads the log stream", run)
