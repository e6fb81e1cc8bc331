"""The stages of `make bench`: what each measures, and what it prints."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from . import growth, load, overload, painting, results, service, sidebyside, startup, watching
from .load import Effort, Sink
from .report import page
from .table import Row, table


@dataclass(frozen=True, slots=True)
class Bench:
    """What a stage works with.

    Attributes:
        env: the environment of a production process of the plain default service.
        generation: seconds that writing it took, one per round.
        sink: the collector that `env` names.
    """

    env: Mapping[str, str]
    generation: Sequence[float]
    sink: Sink
    quick: bool

    def rounds(self, whole: int, quick: int) -> int:
        """How many there are."""
        return quick if self.quick else whole


Stage = Callable[[Bench], None]


def run(names: Sequence[str], *, quick: bool) -> None:
    """The named stages in their order, and the page if one of them is on it."""
    chosen = [name for name in STAGES if name in names]
    for name in filter(OWN.__contains__, chosen):
        _timed(name, partial(OWN[name], quick))
    if with_service := [name for name in chosen if name in SERVICE]:
        with _bench(quick) as bench:
            for name in with_service:
                _timed(name, partial(SERVICE[name], bench))
    if PAGED.intersection(chosen):
        service.say(f"wrote {page.write(quick=quick)}")


def _timed(name: str, stage: Callable[[], None]) -> None:
    begun = time.perf_counter()
    service.say(f"stage {name}")
    stage()
    service.say(f"stage {name} took {time.perf_counter() - begun:.0f} s")


@contextmanager
def _bench(quick: bool) -> Iterator[Bench]:
    service.say("generating the default service into build/bench/orders")
    generation = [service.generate() for _ in range(3 if quick else 5)]
    service.say("installing its pinned versions")
    service.install()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, load.collector() as sink:
        env = service.production_env(Path(scratch), sink.url)
        service.migrate(env)
        yield Bench(env, generation, sink, quick)


def _sidebyside(quick: bool) -> None:
    sidebyside.measure(sidebyside.QUICK if quick else sidebyside.FULL, quick=quick)
    result = results.load(sidebyside.STAGE)
    assert result is not None
    print(table("The service beside its peers", sidebyside.targets(result.data)))


def _overload(quick: bool) -> None:
    overload.measure(overload.QUICK if quick else overload.FULL, quick=quick)


def _growth(quick: bool) -> None:
    growth.measure(growth.QUICK if quick else growth.FULL, quick=quick)


def _layers(bench: Bench) -> None:
    rows = service.inside("layers", bench.env, rounds=bench.rounds(60, 15))["layers"]
    results.save("layers", [asdict(row) for row in rows], quick=bench.quick)
    print(table("Where a request's time goes, in process", rows, "of bare"))


def _load(bench: Bench) -> None:
    effort = Effort(bench.rounds(8, 3), bench.rounds(2, 1), 1)
    rows = [
        *load.chain(bench.env, bench.sink, effort),
        *load.router(bench.env, effort),
        *load.many(bench.env, effort),
    ]
    print(table("The chain and the router", rows))


def _records(bench: Bench) -> None:
    tables = service.inside("records", bench.env, rounds=bench.rounds(25, 5))
    print(table("A log record beside others", tables["ratios"]))
    print(table("What a log record costs, on top of an empty call", tables["costs"]))


def _inside(module: str, title: str, whole: int, quick: int) -> Stage:
    """A stage that is one table of one module of `inside`."""

    def stage(bench: Bench) -> None:
        rounds = bench.rounds(whole, quick)
        (rows,) = service.inside(module, bench.env, rounds=rounds).values()
        print(table(title, rows))

    return stage


def _watching(bench: Bench) -> None:
    effort = Effort(bench.rounds(6, 1), bench.rounds(4, 3), 1)
    rows = watching.measure(bench.env, effort)
    print(table("GET /api/version, to the same without diagnostics and console", rows))


def _painting(bench: Bench) -> None:
    if rows := painting.measure(bench.env, rounds=bench.rounds(12, 3)):
        print(table("The console in a browser", rows))


def _startup(bench: Bench) -> None:
    rows = startup.measure(bench.env, rounds=bench.rounds(5, 3))
    written = Row("generation of the service", bench.generation, "s", "<= 2")
    print(table("Start", [*rows, written]))


# Those that write the programs that they need, and those that need the plain default service.
OWN: Mapping[str, Callable[[bool], None]] = {
    "sidebyside": _sidebyside,
    "overload": _overload,
    "growth": _growth,
}
SERVICE: Mapping[str, Stage] = {
    "layers": _layers,
    "load": _load,
    "records": _records,
    "breaker": _inside("breaker", "What the circuit breaker costs, on top of the call", 25, 5),
    "settings": _inside("settings", "What a setting costs its readers, and a change of one", 25, 5),
    "outbound": _inside("outbound", "Calls to another service, 100 at once", 10, 3),
    "watching": _watching,
    "painting": _painting,
    "startup": _startup,
}
STAGES = (*OWN, *SERVICE, "page")
PAGED = {*OWN, "layers", "page"}  # after one of these the page is written
