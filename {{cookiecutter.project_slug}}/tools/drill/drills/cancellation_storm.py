"""Most callers hang up while their requests are under way."""

from ..ledger import nothing_lost
from ..processes import until
from ..records import Kind
from ..stage import Drill, Stage
from ..traffic import GET, LIST, PLACE
from ..world import World

STORM = {PLACE: 0.4, GET: 0.4, LIST: 0.2}
SPARE = 10  # descriptors that the database's pool may have opened since


async def run(stage: Stage) -> None:
    async with stage.scene(stage.either(100, 50)) as (world, load):
        process = world.service.process
        before = await stage.steady("before", 5, 2)
        opened = process.count("fd")
        world.payments.way.delay = 0.1
        with stage.fault("callers hang up"):
            async with stage.load(
                world, rate=stage.either(150, 60), mix=STORM, hang_ups=0.9, hang_up_after=0.02
            ) as storm:
                await stage.steady("storm", 10, 3)
                stormed = await storm.stop()
        world.payments.way.delay = 0
        after = await stage.steady("after", 6, 2)
        records = await stage.end(load)

        card = stage.card
        left = stormed.kinds(Kind.LEFT)
        card.at_least("callers that hung up", len(left), stage.either(500, 50))
        calm = records.between(after.begin, after.end)
        card.none("requests after it that fail", calm.where(lambda one: one.kind is not Kind.OK))
        card.at_most(
            "p99 after it, x before",
            calm.latency(0.99) / max(records.between(before.begin, before.end).latency(0.99), 1e-6),
            1.2,
            timing=True,
        )
        if world.server is not None:
            await until(lambda: _at_rest(world), 10, "every connection is back in the pool")
            card.holds("every connection is back in the pool", True)
        world.payments.way.cut()  # what its pool keeps for later is no leak
        await until(lambda: _few(world, opened + SPARE), 10, "file descriptors are given back")
        card.at_most("file descriptors beyond those before", process.count("fd") - opened, SPARE)
        await nothing_lost(stage, world, records, stormed)


async def _at_rest(world: World) -> bool:
    return await world.service.metric("database_connections_in_use") == 0


async def _few(world: World, most: int) -> bool:
    return world.service.process.count("fd") <= most


DRILL = Drill("cancellation-storm", "nine of ten callers hang up after 20 ms", run)
