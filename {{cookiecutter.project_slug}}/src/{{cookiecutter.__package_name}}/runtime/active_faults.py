"""The injected faults that are on, for how long, and whom they have struck."""

import asyncio
import itertools
import math
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Literal

import structlog
from opentelemetry import trace

from .config.groups import Group
from .config.live import Live
from .context import current
from .errors import StartupError
from .faults import Fault
from .observability.metrics import Metrics
from .route_match import RouteSet

SPAN_ATTRIBUTE = "fault.injected"
# A script that only ever adds must not fill the memory, nor one response's header.
MAX_ACTIVE = 50
Source = Literal["settings", "operator"]


class RefusedFault(ValueError):
    """A fault that cannot be switched on.

    Attributes:
        field: the field of `Fault` that is to blame, empty where none is.
    """

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.field = field


class ActiveFault:
    """One fault that is on, by the settings or by an operator."""

    __slots__ = ("_routes", "expires_at", "fault", "id", "mark", "source", "struck")

    def __init__(self, id_: str, fault: Fault, source: Source, expires_at: float) -> None:
        self.id = id_
        self.fault = fault
        self.source = source
        self.mark = fault.mark
        self.expires_at = expires_at
        self.struck = 0
        self._routes = RouteSet([fault.route]) if fault.route else None

    def covers(self, method: str, path: str) -> bool:
        """Whether it is about this request."""
        return self._routes is None or self._routes.matches(method, path)


class ActiveFaults:
    """The set of them: the settings' in their order, then the operators' in theirs.

    Where several are about one request or call, the first that strikes does. What has been
    struck stays so: removing a fault spares the next request, and does not wake one that
    sleeps in it; its deadline does.

    Args:
        dependencies: names that a fault may give.
        clock: seconds of a monotonic clock.
        draw: a random number from 0 up to 1.
    """

    def __init__(
        self,
        dependencies: Collection[str],
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        # Tuples that are empty while nothing is on: a request pays for one look at `requests`.
        self.requests: tuple[ActiveFault, ...] = ()
        self._calls: tuple[ActiveFault, ...] = ()
        self._active: tuple[ActiveFault, ...] = ()  # both
        self._first_end = math.inf
        self._rules: list[ActiveFault] = []  # the settings' as they are now, on or not
        self._dependencies = sorted(dependencies)
        self._routes: Callable[[], Collection[str]] = tuple
        self._clock = clock
        self._draw = draw
        self._ids = map(str, itertools.count(1))
        self._kinds: Counter[str] = Counter()
        self._log = structlog.get_logger().bind(logger="faults")
        text = "Faults injected on purpose, by what they did."
        metrics.counter("faults_injected", text, ("kind",), self._counts)

    def open(self, live: Live[Group], routes: Callable[[], Collection[str]]) -> None:
        """Follow the settings' `rules`, now that the routes that a fault may name are known.

        Raises:
            StartupError: a rule that names no route or dependency of this service.
        """
        self._routes = routes
        try:
            live.follow(self.update)
        except RefusedFault as exc:
            raise StartupError(str(exc)) from None

    def update(self, *, rules: Sequence[Fault], **_: object) -> None:
        """Put these in the place of the settings' faults; the operators' stay.

        A rule that was there before goes on: its time runs from when it came into force, and
        if that is up or an operator has ended it, it stays ended. A rule that cannot be
        switched on must not keep others from ending, so it is left out.

        Raises:
            RefusedFault: some were left out, and why the first of them; the others hold.
        """
        before: defaultdict[Fault, list[ActiveFault]] = defaultdict(list)
        for one in self._rules:
            before[one.fault].append(one)
        found = [before[rule].pop(0) if before[rule] else None for rule in rules]
        gone = {one for left in before.values() for one in left}
        active = [one for one in self.all() if one not in gone]
        self._rules = []
        refused: RefusedFault | None = None
        for index, (rule, known) in enumerate(zip(rules, found, strict=True)):
            one = known or self._made(rule, "settings")
            self._rules.append(one)
            try:
                if known is None:
                    self._check(rule, len(active))
                    active.append(one)
            except RefusedFault as exc:
                field = f"__{exc.field.upper()}" if exc.field else ""
                refused = refused or RefusedFault(f"APP_FAULTS__RULES__{index}{field}: {exc}")
        places = {one: place for place, one in enumerate(self._rules)}
        self._hold(sorted(active, key=lambda one: places.get(one, len(places))))
        if refused:
            raise refused

    def add(self, fault: Fault) -> ActiveFault:
        """Switch it on, for an operator.

        Raises:
            RefusedFault: it names what is not there, or too many are on.
        """
        active = self.all()
        self._check(fault, len(active))
        added = self._made(fault, "operator")
        self._hold([*active, added])
        return added

    def _check(self, fault: Fault, on: int) -> None:
        names = (("dependency", self._dependencies), ("route", sorted(self._routes())))
        for field, known in names:
            name = getattr(fault, field)
            if name and name not in known:
                raise RefusedFault(f"no such {field}; known: {', '.join(known)}", field)
        if on >= MAX_ACTIVE:
            raise RefusedFault(f"{MAX_ACTIVE} faults are on, which is the most there can be")

    def _made(self, fault: Fault, source: Source) -> ActiveFault:
        return ActiveFault(next(self._ids), fault, source, self._clock() + fault.expires_in)

    def remove(self, id_: str) -> bool:
        """Switch one off; whether it was on. One of the settings' stays off until it changes."""
        was_on = self.get(id_) is not None
        self._keep(lambda one: one.id != id_)
        return was_on

    def clear(self) -> list[str]:
        """Switch all of them off; returns their ids."""
        ids = [one.id for one in self.all()]
        self._keep(lambda _: False)
        return ids

    def get(self, id_: str) -> ActiveFault | None:
        """The one with this id, if it is on."""
        return next((one for one in self.all() if one.id == id_), None)

    def all(self) -> list[ActiveFault]:
        """Those that are on, in the order in which they are tried."""
        self._expire()
        return list(self._active)

    def report(self, one: ActiveFault) -> dict[str, Any]:
        """One of them for a reader, with the seconds that it has left."""
        return {
            "id": one.id,
            "fault": one.fault.model_dump(),
            "source": one.source,
            "seconds_left": round(one.expires_at - self._clock(), 1),
            "struck": one.struck,
        }

    def for_request(self, method: str, path: str) -> Fault | None:
        """What to do to this request; it is marked already."""
        self._expire()
        return self._drawn(one for one in self.requests if one.covers(method, path))

    async def strike(self, dependency: str) -> bool:
        """Delay this call to a dependency; returns whether it must fail."""
        if not self._calls:
            return False
        self._expire()
        fault = self._drawn(one for one in self._calls if one.fault.dependency == dependency)
        if fault is None:
            return False
        if fault.delay:
            await asyncio.sleep(fault.delay)
        return fault.fail

    def _drawn(self, candidates: Iterable[ActiveFault]) -> Fault | None:
        for one in candidates:
            if self._draw() * 100 < one.fault.percentage:
                self._mark(one)
                return one.fault
        return None

    def _mark(self, struck: ActiveFault) -> None:
        struck.struck += 1
        whose = "dependency_" if struck.fault.dependency else ""
        self._kinds.update(f"{whose}{effect}" for effect in struck.fault.effects)
        state = current.get()
        if state is not None and struck.mark not in state.faults.split(", "):
            state.faults = f"{state.faults}, {struck.mark}".removeprefix(", ")
            state.bind(fault=state.faults)
        trace.get_current_span().set_attribute(SPAN_ATTRIBUTE, struck.mark)
        # Past the sampling: who looks at a strange request must find that it was done to it.
        fields = {"id": struck.id, "injected": struck.mark}
        self._log.emit(time.time(), "warning", "fault injected", fields)

    def _expire(self) -> None:
        now = self._clock()
        if now >= self._first_end:
            self._keep(lambda one: one.expires_at > now)

    def _keep(self, wanted: Callable[[ActiveFault], bool]) -> None:
        self._hold(filter(wanted, self._active))

    def _hold(self, active: Iterable[ActiveFault]) -> None:
        self._active = tuple(active)
        self.requests = tuple(one for one in self._active if not one.fault.dependency)
        self._calls = tuple(one for one in self._active if one.fault.dependency)
        self._first_end = min((one.expires_at for one in self._active), default=math.inf)

    def _counts(self) -> Iterator[tuple[tuple[str, ...], float]]:
        for kind, number in self._kinds.items():
            yield (kind,), number
