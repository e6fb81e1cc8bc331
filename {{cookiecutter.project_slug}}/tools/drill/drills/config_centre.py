"""The configuration centre is killed, partitioned, wiped and fed garbage."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby
from typing import NamedTuple

from ..centre import Centre, Server, open_centre
from ..ledger import nothing_lost
from ..readings import Readings, reading
from ..records import Kind
from ..stage import Drill, Span, Stage

SETTING = "APP_HTTP__REQUEST_TIMEOUT"
FIRST, STEP = 3.0, 0.25  # its value in seconds, and what each change adds
PAUSE = 1.0  # seconds between two attempts of the service at most


class Outcome(NamedTuple):
    """One fault.

    Attributes:
        good: the value in force before it.
        arrived: when the change after it was in force, and `status` was what `/config` said then.
    """

    span: Span
    good: float
    arrived: float
    status: str


class Trial:
    """Breaks the centre, and looks at what the service makes of it.

    Args:
        limit: seconds within which a change has to arrive.
    """

    def __init__(self, stage: Stage, centre: Centre, readings: Readings, limit: float) -> None:
        self._stage, self._centre = stage, centre
        self.readings = readings
        self.limit = limit
        self.values = [FIRST]
        self.outcomes: list[Outcome] = []

    async def change(self) -> None:
        """At the centre."""
        self.values.append(self.values[-1] + STEP)
        await self._centre.put(self.values[-1])

    async def arrival(self) -> float:
        """When the last change was in force."""
        return await self.readings.until(
            lambda reading: reading.value == self.values[-1], 2 * self.limit
        )

    @asynccontextmanager
    async def fault(self, label: str) -> AsyncIterator[Span]:
        """What happens inside; a change, made by the end of it, has to arrive."""
        good = self.values[-1]
        with self._stage.fault(label) as span:
            yield span
        if self.values[-1] == good:
            await self.change()
        arrived = await self.arrival()
        status = self.readings.all[-1].status
        self.outcomes.append(Outcome(span, good, arrived, status))

    async def lasts(self, fault: Span) -> None:
        """For its time, and until the status tells of it."""
        await self._stage.steady(fault.label, 5, 1)
        await self.readings.until(
            lambda reading: reading.asked > fault.begin and reading.status != "ok", self.limit
        )

    async def feed(self, kind: str) -> None:
        """Garbage, until it is refused."""
        before = self.readings.all[-1].refused
        await self._centre.feed(kind)
        await self.readings.until(lambda reading: reading.refused > before, self.limit)

    def judge(self) -> None:
        """What was promised, for each fault and for all of them."""
        card = self._stage.card
        for fault in self.outcomes:
            during = self.readings.during(fault.span)
            other = [one for one in during if one.value != fault.good]
            seen = f"{len(other)} of {len(during)}" + (f", first {other[0]}" if other else "")
            text = f"{fault.span.label}: readings of another value than the last good one"
            card.holds(text, bool(during) and not other, seen, "0")
            text = f"{fault.span.label}: from its end until the change is in force"
            card.at_most(text, max(fault.arrived - fault.span.end, 0), self.limit, "s")
        card.none(
            "faults that the status did not tell of",
            [
                fault.span.label
                for fault in self.outcomes
                if all(one.status == "ok" for one in self.readings.during(fault.span))
            ],
        )
        card.none(
            "faults after which the status is not ok again",
            [f"{one.span.label}: {one.status}" for one in self.outcomes if one.status != "ok"],
        )
        values = [value for value, _ in groupby(one.value for one in self.readings.all)]
        text = "the values in force were those that were put, in order"
        card.holds(text, values == self.values, ", ".join(map(str, values)), len(self.values))


async def run(stage: Stage) -> None:
    watch, request = stage.either(2, 1), stage.either(1, 0.5)
    async with open_centre(stage.folder) as centre:
        await centre.put(FIRST)
        settings = {
            "CONFIG__SOURCE": centre.url,
            "CONFIG__WATCH_TIMEOUT": f"{watch}",
            "CONFIG__REQUEST_TIMEOUT": f"{request}",
            "CONFIG__BACKOFF_MAX": f"{PAUSE}",
        }
        async with (
            stage.scene(stage.either(100, 50), settings) as (world, load),
            reading(world.service.ops, SETTING) as readings,
        ):
            # At worst the service waits on a connection that is dead, asks again on another
            # one that is, and pauses.
            trial = Trial(stage, centre, readings, watch + request + PAUSE)
            before = await stage.steady("before", 10, 1)
            changed = time.monotonic()
            await trial.change()
            taken = await trial.arrival() - changed
            service = world.service
            refused = await service.metric("config_reloads_total", outcome="refused")
            await _break(centre, trial)
            refused = await service.metric("config_reloads_total", outcome="refused") - refused
            version = await service.metric("config_version")
            await stage.steady("after", 2, 0.5)
            records = await stage.end(load)

            card = stage.card
            card.shown("the configuration centre is", centre.name)
            card.none("requests that fail", records.where(lambda one: one.kind is not Kind.OK))
            begin, end = trial.outcomes[0].span.begin, trial.outcomes[-1].span.end
            stage.unaffected(records.between(before.begin, before.end), records.between(begin, end))
            card.at_most("a change before any fault is in force within", taken, trial.limit, "s")
            trial.judge()
            # That nothing is left after the wipe is refused as well.
            wanted = len(centre.kinds) + isinstance(centre, Server)
            card.at_least("changes that were refused, and counted", refused, wanted)
            # A process that had been started again would have begun to count again.
            changes = len(trial.values)
            card.holds("one process saw every change", version == changes, f"{version:g}", changes)
            await nothing_lost(stage, world, records)


async def _break(centre: Centre, trial: Trial) -> None:
    """In every way that it can be broken."""
    async with trial.fault("killed") as fault:
        await centre.kill()
        await trial.lasts(fault)
        await centre.start()
    if isinstance(centre, Server):
        async with trial.fault("partitioned") as fault:
            centre.partition()
            await trial.change()
            await trial.lasts(fault)
            centre.heal()
        async with trial.fault("wiped") as fault:
            await centre.wipe()
            await trial.lasts(fault)
    async with trial.fault("garbage") as fault:
        for kind in centre.kinds:
            await trial.feed(kind)
        await trial.lasts(fault)


DRILL = Drill(
    "config-centre", "the configuration centre is killed, partitioned, wiped, fed garbage", run
)
