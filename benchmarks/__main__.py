"""`make bench`: measures this template's service beside its peers, and writes the page of it.

`make bench` runs all stages, `make bench ARGS="sidebyside growth"` the named ones:

- `sidebyside`: bare ASGI, bare FastAPI, this service, and peer templates, at the same work.
- `overload`: three times what a process can do, offered to some of them.
- `growth`: routes, headers, body, list, concurrency, for this service and bare FastAPI.
- `layers`: what each layer costs, and where the rest of a request goes.
- `load`: the whole production chain against bare FastAPI, and the contract's router alone
  against hand-written routes and against itself with 300 of them, by wrk.
- `records`: a log record against structlog's documented fastest and the standard library.
- `breaker`: what the circuit breaker adds to a call, and what pybreaker as it comes does.
- `settings`: what reading a setting costs, and putting a change in force.
- `outbound`: the client of other services beside httpx as it comes, and after a storm.
- `watching`: what it costs that the service can be looked into, and to look.
- `painting`: how long one who opens the console looks at nothing.
- `startup`: generation, process start to ready, memory when idle.
- `page`: docs/benchmarks.md anew from what the first four measured last; it runs after them.

`--quick` takes fewer and shorter rounds, and leaves the page under build/. Everything that is
compared is measured in turns within each round, so trust the ratios; the rest is this machine
today.
"""

import argparse
import subprocess
import sys

from . import stages, wrk


def main() -> None:
    """Run the stages that are asked for; ends with one clear line where that is impossible."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure the service.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("stage", nargs="*", help=f"{', '.join(stages.STAGES)}; all by default")
    asked = parser.parse_args()
    if unknown := [name for name in asked.stage if name not in stages.STAGES]:
        parser.error(f"there is no stage {unknown[0]}: {', '.join(stages.STAGES)}")
    wrk.require()
    try:
        stages.run(asked.stage or list(stages.STAGES), quick=asked.quick)
    except subprocess.CalledProcessError as exc:
        sys.exit(f"make bench: this failed: {' '.join(map(str, exc.cmd))}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
