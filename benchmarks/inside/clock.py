"""Timing inside a process: CPU time, variants in turns.

The variants of a comparison take turns within each round, forwards and backwards, so that
whatever else slows this machine slows all of them.
"""

import gc
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..table import Row

Rounds = dict[str, list[float]]
Measure = Callable[[], float]


def in_turns(variants: Mapping[str, Measure], rounds: int) -> Rounds:
    """Every variant once per round; the values in the order of the rounds."""
    gc.collect()
    gc.freeze()  # as the service does once it is up
    for warm_up in variants.values():
        warm_up()
    results: Rounds = {name: [] for name in variants}
    for _, names in zip(range(rounds), _directions(list(variants)), strict=False):
        for name in names:
            results[name].append(variants[name]())
    return results


def _directions(names: list[str]) -> Iterator[list[str]]:
    while True:
        yield names
        yield names[::-1]


def per_call(
    call: Callable[[], object],
    *,
    calls: int = 5000,
    best_of: int = 3,
    clock: Callable[[], float] = time.process_time,
) -> float:
    """CPU µs of one call, the best of a few runs: what is slower was disturbed."""
    best = float("inf")
    for _ in range(best_of):
        begun = clock()
        for _ in range(calls):
            call()
        best = min(best, clock() - begun)
    return best / calls * 1e6


def minus(left: Sequence[float], right: Sequence[float]) -> list[float]:
    """Round by round."""
    return [a - b for a, b in zip(left, right, strict=True)]


def over(left: Sequence[float], right: Sequence[float]) -> list[float]:
    """Round by round."""
    return [a / b for a, b in zip(left, right, strict=True)]


def report(**tables: Sequence[Row]) -> None:
    """Hand the rows to the process that asked for them."""

    def plain(row: Row) -> dict[str, Any]:
        return {name: getattr(row, name) for name in Row.__slots__}

    print(json.dumps({name: [plain(row) for row in rows] for name, rows in tables.items()}))
