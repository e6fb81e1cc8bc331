"""Payments is killed, and comes back."""

import time

from ..breaker import opened
from ..ledger import nothing_lost
from ..records import Kind
from ..stage import Drill, Stage
from ..traffic import PLACE, UNAFFECTED

WINDOW = 2.0  # seconds; the default of 5 would only make the drill longer
TRIALS = 3


async def run(stage: Stage) -> None:
    open_for = stage.either(3, 1)
    settings = {
        "DEPENDENCIES__PAYMENTS__TIMEOUT": "1",
        "DEPENDENCIES__PAYMENTS__ATTEMPT_TIMEOUT": "0.5",
        "DEPENDENCIES__PAYMENTS__CONNECT_TIMEOUT": "0.5",
        "DEPENDENCIES__PAYMENTS__BREAKER__WINDOW": f"{WINDOW}",
        "DEPENDENCIES__PAYMENTS__BREAKER__OPEN_FOR": f"{open_for}",
        "DEPENDENCIES__PAYMENTS__BREAKER__TRIALS": f"{TRIALS}",
    }
    async with stage.scene(stage.either(100, 50), settings) as (world, load):
        before = await stage.steady("before", 12, 2)
        with stage.fault("payments is down") as fault:
            world.payments.process.kill()
            open_at = await opened(world.service, WINDOW + 3)
            # Behind the proxy every attempt is a connection of its own: it is reset at once.
            attempts = world.payments.way.accepted
            await stage.steady("open", 12, 2.5)
            attempts = world.payments.way.accepted - attempts
            periods = (time.monotonic() - open_at) / open_for
            await world.payments.start()
        await stage.steady("after", open_for + 4, open_for + 1.5)
        records = await stage.end(load)

        card = stage.card
        card.at_most("the breaker opens within its window", open_at - fault.begin, WINDOW, "s")
        card.at_most("calls while it is open: its trials", attempts, TRIALS * (periods + 1))
        reads = records.of(*UNAFFECTED)
        during = reads.between(fault.begin, fault.end)
        stage.unaffected(reads.between(before.begin, before.end), during)
        card.none("reads that fail", reads.where(lambda read: read.kind is not Kind.OK))
        refused = records.of(PLACE).where(lambda order: order.kind is not Kind.OK)
        card.none(
            "orders that fail otherwise than with 503 or 504",
            refused.where(lambda order: order.kind not in (Kind.REFUSED, Kind.LATE)),
        )
        last = max((order.intended for order in refused), default=fault.end)
        card.at_most(
            "from its return to the last refused order", last - fault.end, open_for + 1, "s"
        )
        await nothing_lost(stage, world, records)


DRILL = Drill("dependency-down", "payments is killed, and comes back", run)
