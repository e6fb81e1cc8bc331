"""More than a process can do: what is still answered, how fast, and what becomes of the rest.

The handler waits a millisecond, as for a query, and then holds the event loop for 10 ms of CPU,
so no process answers more than a hundred requests a second. Offered are three times as many, by
callers who leave after a second. Programs are loaded one after the other, in another order each
round, each in a fresh process.
"""

from statistics import quantiles
from typing import Any

from . import offered, peers, results, service
from .load import Effort
from .peers import fastapi_template, fastforge
from .programs import FASTAPI, OURS, Start, prepare, ready
from .sidebyside import rotated

STAGE = "overload"
PATH = "/bench/busy?ms=10"
RATE, PATIENCE = 300.0, 1.0
FULL, QUICK = Effort(starts=3, rounds=1, seconds=8), Effort(starts=2, rounds=1, seconds=4)
CHOSEN = (fastapi_template.LEAN, peers.BEST_INSTRUMENTED, fastforge.PEER)
NAMES = (FASTAPI, OURS, *(one.name for one in CHOSEN))


def measure(effort: Effort, *, quick: bool) -> None:
    """All rounds, kept as this stage's result."""
    failed = prepare(CHOSEN)
    rounds: list[dict[str, Any]] = []
    with ready(CHOSEN) as starts:
        names = [name for name in NAMES if not any(name in line for line in failed)]
        for number in range(effort.starts):
            service.say(f"overload: round {number + 1} of {effort.starts}")
            order = rotated(names, number)
            rounds.append({name: _run(starts[name], effort.seconds) for name in order})
    data = {"offered": RATE, "patience": PATIENCE, "failed": failed, "rounds": rounds}
    results.save(STAGE, data, quick=quick)


def _run(start: Start, seconds: int) -> dict[str, float]:
    with start() as server:
        url = server.url + PATH
        offered.offer(url, rate=30, seconds=2, patience=PATIENCE)  # so that it knows its pace
        return summary(offered.offer(url, rate=RATE, seconds=seconds, patience=PATIENCE))


def summary(outcome: offered.Outcome) -> dict[str, float]:
    """In figures that compare.

    `goodput`: answered with 200 within the caller's patience, per second. `p99`: ms of those.
    `refused`: the share that got a 503, and `refused_p99` how long that took in ms. `lost`: the
    share that got nothing: their callers left, or the connection broke.
    """
    count = sum(outcome.statuses.values())
    good, refused = outcome.statuses.get("200", 0), outcome.statuses.get("503", 0)
    return {
        "goodput": good / outcome.seconds,
        "p99": _p99(outcome.latencies) * 1000,
        "refused": refused / count,
        "refused_p99": _p99(outcome.refused) * 1000,
        "lost": (count - good - refused) / count,
    }


def _p99(seconds: list[float]) -> float:
    """Not a number where there is nothing to say it of."""
    if len(seconds) < 2:
        return seconds[0] if seconds else float("nan")
    return quantiles(seconds, n=100, method="inclusive")[98]
