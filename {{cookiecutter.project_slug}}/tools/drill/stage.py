"""What a drill works with: a world, a load, marked spans of time, a scorecard.

A drill of your own is a file in `drills/` with a coroutine that takes a `Stage`, and
`DRILL = Drill("its-name", "what breaks", run)`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..package import groups
from .load import Load, loading
from .postgres import Postgres
from .processes import HOST
from .promises import Scorecard
from .records import LAG_LIMIT, Records
from .traffic import MIX, TICK, Plan
from .world import World

# A p99 of more than this in seconds, before anything is broken, is the machine's own trouble:
# the loads of the drills are a fraction of what one idle core serves.
BUSY = 0.15
# A short run is one beside others: what they do is overload enough to shed requests.
SHARED_MACHINE = MappingProxyType({"SHEDDING__TARGET_LAG": "0"})
NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass
class Span:
    """A stretch of the drill, in seconds of the monotonic clock."""

    label: str
    begin: float
    end: float = 0.0


@dataclass(frozen=True)
class Picture:
    """What is drawn: the requests of a load and the faults meanwhile."""

    title: str
    records: Records
    faults: tuple[Span, ...]


@dataclass
class Stage:
    """One run of one drill.

    Attributes:
        short: the form for CI: a few seconds, figures of time are not judged.
        server: the PostgreSQL server, where there is one; `template` is a migrated database.
    """

    card: Scorecard
    folder: Path
    short: bool
    server: Postgres | None = None
    template: str = ""
    pictures: list[Picture] = field(default_factory=list)
    faults: list[Span] = field(default_factory=list)
    _loads: int = 0

    def either(self, full: float, short: float) -> float:
        """A number by the form of the run: seconds, or how much of something."""
        return short if self.short else full

    @asynccontextmanager
    async def world(
        self,
        settings: Mapping[str, str] = NONE,
        *,
        others: Mapping[str, str] = NONE,
        proxied: bool = False,
    ) -> AsyncIterator[World]:
        """Everything but the service.

        Args:
            settings: by `HTTP__GRACE` and the like.
            others: variables beside the service's own settings.
            proxied: the way to the database is one that can be broken.
        """
        async with AsyncExitStack() as stack:
            world = World(self.folder, self.server, self.template, proxied=proxied)
            fitting = SHARED_MACHINE if self.short else NONE
            await world.open(stack, {**fitting, **settings}, others)
            yield world

    @asynccontextmanager
    async def scene(
        self,
        rate: float,
        settings: Mapping[str, str] = NONE,
        *,
        mix: Mapping[str, float] = MIX,
        deadlines: Mapping[str, float] = NONE,
        proxied: bool = False,
    ) -> AsyncIterator[tuple[World, Load]]:
        """A world with its service, under a load of `rate` requests per second."""
        async with (
            self.world(settings, proxied=proxied) as world,
            world.serving(),
            self.load(world, rate=rate, mix=mix, deadlines=deadlines) as load,
        ):
            yield world, load

    @asynccontextmanager
    async def load(self, world: World, *, port: int = 0, **plan: Any) -> AsyncIterator[Load]:
        """A load on the service, or on `port`, once it is warm: the first second is slow.

        `plan` as `traffic.Plan` has it.
        """
        self._loads += 1
        made = Plan(
            host=HOST,
            port=port or world.service.port,
            run=f"{self.card.drill}-{self._loads}",
            records=str(self.folder / f"load-{self._loads}.jsonl"),
            headers=world.headers,
            **plan,
        )
        async with loading(made, self.folder) as load:
            await asyncio.sleep(self.either(2, 1))
            yield load

    async def steady(self, label: str, full: float, short: float) -> Span:
        """Let the load run; the span, to compare with others."""
        span = Span(label, time.monotonic())
        await asyncio.sleep(self.either(full, short))
        span.end = time.monotonic()
        return span

    @contextmanager
    def fault(self, label: str) -> Iterator[Span]:
        """Mark what happens inside as the fault."""
        span = Span(label, time.monotonic())
        self.faults.append(span)
        try:
            yield span
        finally:
            span.end = time.monotonic()

    async def end(
        self, load: Load, title: str = "", *, since: int = 0, judged: bool = True
    ) -> Records:
        """Stop the load; its records, drawn with the faults meanwhile.

        A generator that was late itself makes the run invalid: it may have hidden anything.

        Args:
            since: the number of the first fault that belongs to it.
            judged: it is no mere comparison.
        """
        records = await load.stop()
        faults = tuple(self.faults[since:])
        self.pictures.append(Picture(title or self.card.drill, records, faults))
        if records.lag > LAG_LIMIT:
            text = "the load keeps its schedule"
            late = f"{records.lag * 1000:.0f} ms late at its p99"
            if self.short or not judged:  # no figure of time is
                self.card.shown(text, late)
            else:
                self.card.invalid(text, late)
        return records

    def unaffected(self, before: Records, during: Records, limit: float = 1.2) -> None:
        """Promise that these requests are as fast as they were, to what can be measured."""
        was, now = before.latency(0.99), during.latency(0.99)
        if not self.short and was > BUSY:
            text = f"p99 {was * 1000:.0f} ms before the fault: this machine is too busy to judge"
            self.card.invalid("the service is well before the fault", text)
        self.card.at_most(
            f"p99 of unaffected routes, x before ({was * 1000:.1f} ms)",
            max(now - TICK, 0.0) / was if was else 0.0,
            limit,
            timing=True,
        )


@dataclass(frozen=True)
class Drill:
    """One drill.

    Attributes:
        story: one line about what breaks.
        needs: `database` where the service must keep its orders in one, `server` where that
            must be a server of its own.
        limit: seconds after which it is given up, in its full form.
    """

    name: str
    story: str
    run: Callable[[Stage], Awaitable[None]]
    needs: str = ""
    limit: float = 120.0

    def missing(self, server: Postgres | None) -> str:
        """Why it cannot be held here; empty when it can."""
        if self.needs and "database" not in groups():
            return "this service has no database"
        if self.needs == "server" and server is None:
            return "no PostgreSQL server is installed here"
        return ""
