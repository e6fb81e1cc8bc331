"""Something that is to be closed at the end hangs."""

from ..balancer import terminated
from ..ledger import nothing_lost
from ..records import Kind
from ..stage import Drill, Stage

DRAIN, CLOSE = 1.0, 2.0  # seconds


async def run(stage: Stage) -> None:
    settings = {"HTTP__DRAIN_DELAY": f"{DRAIN}", "HTTP__CLOSE_TIMEOUT": f"{CLOSE}"}
    async with stage.world(settings) as world:
        words = ("-m", "tools.drill.hung", "serve")
        async with (
            world.serving(words=words) as service,
            stage.load(world, rate=stage.either(100, 50)) as load,
        ):
            await stage.steady("before", 4, 1)
            gone = await terminated(
                stage, service, load, "SIGTERM, and a hook that hangs", limit=60
            )
            records, code, _, seconds = gone
            hung = [record["what"] for record in service.logged("close timed out")]

        card = stage.card
        card.at_most("gone after, drain and close_timeout and 2 s", seconds, DRAIN + CLOSE + 2, "s")
        card.holds("exit code", code == 0, code, 0)
        card.holds("the log names what hung", "hung hook" in hung, hung, "hung hook")
        card.none("requests that fail", records.where(lambda one: one.kind is not Kind.OK))
        if not world.volatile:
            async with world.serving():
                await nothing_lost(stage, world, records)


DRILL = Drill("hung-shutdown-hook", "what is to be closed at the end hangs", run)
