"""An hour's requests in five minutes: what grows?"""

import asyncio
import time

from ..ledger import nothing_lost
from ..records import Kind
from ..stage import Drill, Stage

MEBI = 1 << 20
# An hour at 10 requests per second, twelve times as fast.
RATE = 120
HOUR = 300.0  # seconds that it takes here
INTERVAL = 1.0  # seconds between two looks


async def run(stage: Stage) -> None:
    async with stage.scene(stage.either(RATE, 50)) as (world, load):
        process, port = world.service.process, world.service.port

        def files() -> int:
            # Not the load's connections, of which it opens more when the machine stalls.
            return process.count("fd") - process.connections(port)

        # Until then caches and pools fill.
        await stage.steady("warm-up", 60, 3)
        counts = files(), process.count("task")
        sizes: list[tuple[float, float]] = []
        end = time.monotonic() + stage.either(240, 4)
        while time.monotonic() < end:
            sizes.append((time.monotonic(), process.resident() / MEBI))
            await asyncio.sleep(INTERVAL)
        descriptors, threads = files(), process.count("task")
        records = await stage.end(load)

        card = stage.card
        card.none("requests that fail", records.where(lambda one: one.kind is not Kind.OK))
        tenth = max(len(sizes) // 10, 1)
        early = sum(size for _, size in sizes[:tenth]) / tenth
        late = sum(size for _, size in sizes[-tenth:]) / tenth
        card.shown("memory after warm-up", f"{early:.1f} MiB")
        card.at_most("memory grows by", late - early, 8, "MiB", timing=True)
        goes_on = slope(sizes) * HOUR
        card.at_most("and goes on by, in an hour at 10/s", goes_on, 8, "MiB", timing=True)
        card.at_most("file descriptors more than after warm-up", descriptors - counts[0], 10)
        card.at_most("threads more than after warm-up", threads - counts[1], 2)
        await nothing_lost(stage, world, records)


def slope(points: list[tuple[float, float]]) -> float:
    """What the second half of the points grows by in a second, by least squares."""
    half = points[len(points) // 2 :]
    middle = sum(x for x, _ in half) / len(half)
    spread = sum((x - middle) ** 2 for x, _ in half)
    return sum((x - middle) * y for x, y in half) / spread if spread else 0.0


DRILL = Drill("soak", "an hour's requests in five minutes", run, limit=420)
