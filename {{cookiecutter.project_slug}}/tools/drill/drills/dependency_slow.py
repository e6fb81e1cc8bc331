"""Payments accepts calls and takes ten seconds for an answer."""

from ..ledger import nothing_lost
from ..records import Kind
from ..stage import Drill, Stage
from ..traffic import PLACE, UNAFFECTED

ASKED = 0.5  # seconds that half of the callers allow
LIMIT = 2.0  # seconds that the service allows the others
GRACE = 0.05  # that a request may outlive its deadline by


async def run(stage: Stage) -> None:
    settings = {
        "HTTP__REQUEST_TIMEOUT": f"{LIMIT}",
        "DEPENDENCIES__PAYMENTS__BREAKER__OPEN_FOR": f"{stage.either(3, 1)}",
    }
    async with (
        stage.scene(stage.either(100, 50), settings, deadlines={PLACE: ASKED}) as (world, hurried),
        stage.load(world, rate=20, mix={PLACE: 1}) as patient,
    ):
        before = await stage.steady("before", 12, 2)
        with stage.fault("payments takes 10 s") as fault:
            world.payments.way.delay = 5.0
            await stage.steady("slow", 12, 3)
            world.payments.way.heal()
        await stage.steady("after", 8, 3)
        records, others = await stage.end(hurried), await patient.stop()

        card = stage.card
        orders = records.of(PLACE)
        for name, some, deadline in (
            ("asked for", orders, ASKED),
            ("by default", others.of(PLACE), LIMIT),
        ):
            late = max((order.latency for order in some), default=0) - deadline
            text = f"the slowest order outlives its deadline ({deadline} s, {name}) by"
            card.at_most(text, late * 1000, GRACE * 1000, "ms", timing=True)
        failed = [one for one in (*orders, *others) if one.kind is not Kind.OK]
        card.none(
            "orders that fail otherwise than with 504, or 503 of the breaker",
            [one for one in failed if one.kind not in (Kind.LATE, Kind.REFUSED)],
        )
        told = sum(one.kind is Kind.LATE for one in failed)
        card.at_least("orders that ran out of time and were told so, 504", told, 1)
        reads = records.of(*UNAFFECTED)
        card.none("reads that fail", reads.where(lambda read: read.kind is not Kind.OK))
        stage.unaffected(
            reads.between(before.begin, before.end), reads.between(fault.begin, fault.end)
        )
        await nothing_lost(stage, world, records, others)


DRILL = Drill("dependency-slow", "payments takes ten seconds for an answer", run)
