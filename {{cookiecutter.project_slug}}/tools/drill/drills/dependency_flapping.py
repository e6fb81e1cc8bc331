"""Payments comes and goes."""

import asyncio

from ..breaker import changes
from ..ledger import nothing_lost
from ..records import Kind
from ..stage import Drill, Stage
from ..traffic import PLACE, UNAFFECTED

WINDOW = 2.0
DOWN, UP = 1.0, 0.7  # seconds, neither a multiple of the other nor of the open period


async def run(stage: Stage) -> None:
    open_for = 1.0
    settings = {
        "DEPENDENCIES__PAYMENTS__ATTEMPT_TIMEOUT": "0.5",
        "DEPENDENCIES__PAYMENTS__CONNECT_TIMEOUT": "0.5",
        "DEPENDENCIES__PAYMENTS__TIMEOUT": "1",
        "DEPENDENCIES__PAYMENTS__BREAKER__WINDOW": f"{WINDOW}",
        "DEPENDENCIES__PAYMENTS__BREAKER__OPEN_FOR": f"{open_for}",
    }
    async with stage.scene(stage.either(100, 50), settings) as (world, load):
        before = await stage.steady("before", 12, 2)
        with stage.fault("payments comes and goes") as fault:
            for _ in range(2 if stage.short else 7):
                world.payments.way.refuse()
                await asyncio.sleep(DOWN)
                await world.payments.way.listen()
                await asyncio.sleep(UP)
        await stage.steady("after", 5, 3)
        records = await stage.end(load)

        card = stage.card
        reads, orders = records.of(*UNAFFECTED), records.of(PLACE)
        failed = orders.where(lambda order: order.kind is not Kind.OK)
        card.none("reads that fail", reads.where(lambda read: read.kind is not Kind.OK))
        card.none(
            "orders that fail otherwise than with 503 or 504",
            failed.where(lambda order: order.kind not in (Kind.REFUSED, Kind.LATE)),
        )
        stage.unaffected(
            reads.between(before.begin, before.end), reads.between(fault.begin, fault.end)
        )
        last = max((order.intended for order in failed), default=fault.end)
        text = "from its last return to the last refused order"
        # The last return was `UP` seconds before the end of the fault.
        card.at_most(text, last - fault.end + UP, open_for + 1, "s")
        times = sum(change.state == "open" for change in changes(world.service))
        most = (fault.end - fault.begin) / open_for + 1
        card.at_most("the breaker opens no more often than its open period allows", times, most)
        await nothing_lost(stage, world, records)


DRILL = Drill("dependency-flapping", "payments comes and goes, a second each", run)
