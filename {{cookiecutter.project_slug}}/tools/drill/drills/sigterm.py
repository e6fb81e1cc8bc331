"""A rollout: SIGTERM under load, behind a load balancer that probes."""

from ..balancer import terminated
from ..ledger import nothing_lost
from ..records import Kind
from ..stage import Drill, Stage

DRAIN = 1.0  # seconds; above what the load balancer needs


async def run(stage: Stage) -> None:
    async with stage.world({"HTTP__DRAIN_DELAY": f"{DRAIN}"}) as world:
        async with (
            world.serving() as service,
            stage.load(world, rate=stage.either(100, 50)) as load,
        ):
            await stage.steady("before", 6, 2)
            gone = await terminated(stage, service, load, "SIGTERM", limit=30)
            records, code, began, seconds = gone
            cut = service.logged("stopped")[0]["cut"]

        card = stage.card
        during = records.where(lambda one: one.intended >= began)
        card.none("requests that fail", records.where(lambda one: one.kind is not Kind.OK))
        card.at_least("requests that were served while it drained", len(during), 1)
        card.holds("exit code", code == 0, code, 0)
        card.holds("requests cut", cut == 0, cut, 0)
        card.at_most("gone after", seconds, DRAIN + 3, "s", timing=True)
        if not world.volatile:
            async with world.serving():  # the next replica
                await nothing_lost(stage, world, records)


DRILL = Drill("sigterm-under-load", "a rollout: SIGTERM under load", run)
