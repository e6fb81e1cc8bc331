"""Three times as many requests as the service can answer; bare FastAPI beside it."""

import asyncio
from typing import NamedTuple

from ..ledger import nothing_lost
from ..processes import CORES
from ..records import Kind, Records
from ..stage import Drill, Stage
from ..traffic import PLACE
from ..world import World

# That each wait for an answer, and a moment after a refusal: enough to keep one core busy.
CLIENTS = 32
FACTOR = 3
BARE = ("-m", "tools.drill.bare")
# One kind of work: of a mix, orders would be served first, and answers per second would fall
# because each then costs more.
MIX = {PLACE: 1}
PATIENCE = 2.0  # seconds; whoever has no answer by then has gone
SETTINGS = {"SHEDDING__TARGET_LAG": "0.05"}  # the default, in short runs too
MEBI = 1 << 20


class Seen(NamedTuple):
    """One server at its peak and beyond it."""

    peak: float  # good answers per second
    peak_p99: float
    goodput: float
    accepted_p99: float
    grown: float  # MiB
    records: tuple[Records, Records]


async def run(stage: Stage) -> None:
    # A pod of one core: the others are for those who ask and who are asked.
    core = CORES[0] if len(CORES) > 1 else None
    async with stage.world(SETTINGS) as world, world.serving(core=core):
        ours = await _overload(stage, world, "this service", judged=True)
        await nothing_lost(stage, world, *ours.records)
    card = stage.card
    card.shown("peak, answers per second", f"{ours.peak:.0f}")
    card.at_least("goodput at 3 x overload, x peak", ours.goodput / ours.peak, 0.9, timing=True)
    card.at_most(
        f"p99 of accepted requests, x that at peak ({ours.peak_p99 * 1000:.0f} ms)",
        ours.accepted_p99 / ours.peak_p99,
        3,
        timing=True,
    )
    card.at_most("memory grows by", ours.grown, 64, "MiB")
    if stage.short:
        return
    async with stage.world() as world, world.serving(words=BARE, core=core):
        bare = await _overload(stage, world, "bare FastAPI", judged=False)
    card.shown("bare FastAPI: peak, answers per second", f"{bare.peak:.0f}")
    card.shown("bare FastAPI: goodput, x peak", f"{bare.goodput / bare.peak:.3g}")
    card.shown(
        f"bare FastAPI: p99, x that at peak ({bare.peak_p99 * 1000:.0f} ms)",
        f"{bare.accepted_p99 / bare.peak_p99:.3g}",
    )
    card.shown("bare FastAPI: memory grows by", f"{bare.grown:.1f} MiB")


async def _overload(stage: Stage, world: World, name: str, *, judged: bool) -> Seen:
    async with stage.load(world, closed=CLIENTS, mix=MIX) as load:
        measured = await stage.steady("peak", 8, 2)
        at_peak = await load.stop()
    good = at_peak.between(measured.begin, measured.end).kinds(Kind.OK)
    peak = len(good) / (measured.end - measured.begin)
    process = world.service.process
    before = process.resident()
    faults = len(stage.faults)
    async with stage.load(
        world, rate=peak / 2, mix=MIX, patience=PATIENCE, connections=8000
    ) as load:
        await asyncio.sleep(stage.either(2, 0))
        await load.rate(FACTOR * peak)
        with stage.fault(f"{FACTOR} x {peak:.0f} requests/s") as fault:
            await asyncio.sleep(stage.either(15, 2.5))
        grown = process.resident() - before
        await load.rate(peak / 2)
        await asyncio.sleep(stage.either(5, 1))
        records = await stage.end(load, f"overload: {name}", since=faults, judged=judged)
    # What is answered in that time, whenever it was asked; the first second fills the queues.
    begin, end = fault.begin + 1, fault.end
    accepted = records.kinds(Kind.OK).where(lambda one: begin <= one.ended < end)
    return Seen(
        peak,
        good.latency(0.99),
        len(accepted) / (end - begin),
        accepted.latency(0.99),
        grown / MEBI,
        (at_peak, records),
    )


DRILL = Drill("overload", "three times what the service can answer", run, limit=150)
