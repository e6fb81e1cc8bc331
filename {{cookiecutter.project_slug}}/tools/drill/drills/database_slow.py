"""The way to the database becomes slow, then silent."""

from ..ledger import nothing_lost
from ..processes import until
from ..records import Kind
from ..stage import Drill, Stage
from ..traffic import GET, LIST, PLACE, VERSION
from ..world import World

MIX = {PLACE: 0.25, GET: 0.2, LIST: 0.05, VERSION: 0.5}
DEADLINE = 1.0


async def run(stage: Stage) -> None:
    settings = {"HTTP__REQUEST_TIMEOUT": f"{DEADLINE}", "DATABASE__POOL_WAIT": "0.5"}
    async with stage.scene(stage.either(100, 50), settings, mix=MIX, proxied=True) as (world, load):
        assert world.database_way is not None
        before = await stage.steady("before", 10, 2)
        with stage.fault("the database answers 0.4 s late") as slow:
            world.database_way.delay = 0.2
            await stage.steady("slow", 8, 2)
        with stage.fault("and not at all") as silent:
            world.database_way.silent = True
            await stage.steady("silent", 5, 2)
            world.database_way.heal()
        await stage.steady("after", 6, 3)
        records = await stage.end(load)

        card = stage.card
        failed = records.where(lambda one: one.kind is not Kind.OK)
        card.none(
            "requests that fail otherwise than with 503 or 504",
            failed.where(lambda one: one.kind not in (Kind.REFUSED, Kind.LATE)),
        )
        slowest = max(one.latency for one in records.of(PLACE, GET, VERSION))
        text = f"the slowest request outlives its deadline ({DEADLINE} s) by"
        card.at_most(text, (slowest - DEADLINE) * 1000, 50, "ms", timing=True)
        last = max((one.intended for one in failed), default=silent.end)
        card.at_most("from its return to the last refused request", last - silent.end, 2, "s")
        version = records.of(VERSION)
        stage.unaffected(
            version.between(before.begin, before.end), version.between(slow.begin, silent.end)
        )
        await until(lambda: _at_rest(world), 10, "every connection is back in the pool")
        card.holds("every connection is back in the pool", True)
        await nothing_lost(stage, world, records)


async def _at_rest(world: World) -> bool:
    return await world.service.metric("database_connections_in_use") == 0


DRILL = Drill(
    "database-slow", "the way to the database gets slow, then silent", run, needs="server"
)
