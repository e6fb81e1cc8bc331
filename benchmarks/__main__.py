"""`make bench`: writes the default service afresh, measures it beside its peers, prints one table.

- `load`: the whole production chain against bare FastAPI, and the contract's router alone
  against hand-written routes and against itself with 300 of them, by wrk.
- `inside.layers`: what each layer costs, and where the rest of a request goes.
- `inside.records`: a log record against structlog's documented fastest and the standard library.
- `inside.breaker`: what the circuit breaker adds to a call, and what pybreaker as it comes does.
- `inside.settings`: what reading a setting costs, and putting a change in force.
- `inside.outbound`: the client of other services beside httpx as it comes, and after a storm.
- `watching`: what it costs that the service can be looked into, and to look.
- `painting`: how long one who opens the console looks at nothing.
- `startup`: generation, process start to ready, memory when idle.

`make bench ARGS=--quick` takes fewer and shorter rounds. Everything that is compared is
measured in turns within each round, so trust the ratios; the rest is this machine today.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from . import load, painting, service, startup, watching
from .table import Row, table


def main() -> None:
    """Measure everything, then print; ends with one clear line where that is impossible."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure the service.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    quick: bool = parser.parse_args().quick
    load.require_wrk()
    try:
        measure(quick=quick)
    except subprocess.CalledProcessError as exc:
        sys.exit(f"make bench: this failed: {' '.join(map(str, exc.cmd))}")
    except KeyboardInterrupt:
        sys.exit(130)


def measure(*, quick: bool) -> None:
    """The whole row of measurements."""
    service.say("generating the default service into build/bench/orders")
    generation = [service.generate() for _ in range(3 if quick else 5)]
    service.say("installing its pinned versions")
    service.install()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, load.collector() as sink:
        env = service.production_env(Path(scratch), sink.url)
        service.migrate(env)
        effort = load.Effort(starts=3 if quick else 8, rounds=1 if quick else 2, seconds=1)
        loads = [*load.chain(env, sink, effort), *load.router(env, effort), *load.many(env, effort)]
        layers = service.inside("layers", env, rounds=15 if quick else 60)
        records = service.inside("records", env, rounds=5 if quick else 25)
        breaker = service.inside("breaker", env, rounds=5 if quick else 25)
        settings = service.inside("settings", env, rounds=5 if quick else 25)
        outbound = service.inside("outbound", env, rounds=3 if quick else 10)
        seen = watching.measure(env, load.Effort(1 if quick else 6, 3 if quick else 4, 1))
        start = startup.measure(env, rounds=3 if quick else 5)
        paint = painting.measure(env, rounds=3 if quick else 12)
    written = Row("generation of the service", generation, "s", "<= 2")
    print(table("The service beside its peers", [*loads, *records["ratios"], *start, written]))
    print(table("Where a request's time goes, in process", layers["layers"], "of bare"))
    print(table("What a log record costs, on top of an empty call", records["costs"]))
    print(table("What the circuit breaker costs, on top of the call", breaker["costs"]))
    print(table("What a setting costs its readers, and a change of one", settings["settings"]))
    print(table("GET /api/version, to the same without diagnostics and console", seen))
    if paint:
        print(table("The console in a browser", paint))
    print(table("Calls to another service, 100 at once", outbound["outbound"]))


if __name__ == "__main__":
    main()
