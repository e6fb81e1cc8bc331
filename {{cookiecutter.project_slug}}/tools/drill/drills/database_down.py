"""The database crashes, and comes back."""

import time
from collections.abc import Awaitable, Callable

from ..ledger import nothing_lost
from ..processes import until
from ..records import Kind
from ..stage import Drill, Stage
from ..traffic import GET, LIST, PLACE, VERSION

MIX = {PLACE: 0.25, GET: 0.2, LIST: 0.05, VERSION: 0.5}
DEADLINE = 2.0


async def run(stage: Stage) -> None:
    settings = {"HTTP__REQUEST_TIMEOUT": f"{DEADLINE}"}
    async with stage.scene(stage.either(100, 50), settings, mix=MIX) as (world, load):
        assert world.server is not None
        before = await stage.steady("before", 10, 2)
        with stage.fault("the database is down") as fault:
            await world.server.stop()
            unready = await until(lambda: _not(world.service.ready), 10, "unready")
            await stage.steady("down", 8, 1)
            await world.server.start()
        back = time.monotonic()
        ready = await until(world.service.ready, 15, "ready again")
        await stage.steady("after", 5, 2)
        records = await stage.end(load)

        card = stage.card
        card.at_most("unready after", unready, 5, "s")
        card.at_most("ready again after its return", ready, 5, "s")
        failed = records.where(lambda one: one.kind is not Kind.OK)
        card.none(
            "requests that fail otherwise than with 503 or 504",
            failed.where(lambda one: one.kind not in (Kind.REFUSED, Kind.LATE)),
        )
        last = max((one.intended for one in failed), default=back)
        card.at_most("from its return to the last refused request", last - back, 2, "s")
        slowest = max(one.latency for one in records.of(PLACE, GET, VERSION))
        text = f"the slowest request outlives its deadline ({DEADLINE} s) by"
        card.at_most(text, (slowest - DEADLINE) * 1000, 50, "ms", timing=True)
        version = records.of(VERSION)
        stage.unaffected(
            version.between(before.begin, before.end), version.between(fault.begin, fault.end)
        )
        await nothing_lost(stage, world, records)


async def _not(ask: Callable[[], Awaitable[bool]]) -> bool:
    return not await ask()


DRILL = Drill("database-down", "the database crashes, and comes back", run, needs="server")
