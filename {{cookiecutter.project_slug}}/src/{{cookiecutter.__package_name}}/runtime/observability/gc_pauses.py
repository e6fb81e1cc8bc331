"""Pauses of the garbage collector, measured without a lock.

A collection may start anywhere, also while a metric's own lock is held by this thread:
observing a prometheus histogram from the callback could wait for itself for ever.
"""

import gc
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

NAME = "gc_pause_seconds"
TEXT = "Pauses of the garbage collector."
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class GcPauses(Collector):
    """A histogram per generation, filled by `gc.callbacks`."""

    def __init__(self) -> None:
        self._began = 0.0
        self._counts = {generation: [0] * (len(BOUNDS) + 1) for generation in range(3)}
        self._sums = dict.fromkeys(range(3), 0.0)

    def watch(self, registry: CollectorRegistry) -> Callable[[], None]:
        """Measure from now on; returns what ends it."""
        registry.register(self)
        gc.callbacks.append(self._on_gc)
        return lambda: gc.callbacks.remove(self._on_gc)

    def _on_gc(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
            return
        seconds = time.perf_counter() - self._began
        generation = info["generation"]
        self._counts[generation][bisect_left(BOUNDS, seconds)] += 1
        self._sums[generation] += seconds

    def describe(self) -> Iterable[Metric]:
        yield HistogramMetricFamily(NAME, TEXT, labels=("generation",))

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(NAME, TEXT, labels=("generation",))
        for generation, counts in self._counts.items():
            total = 0
            buckets: list[tuple[str, float]] = []
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), tuple(counts), strict=True):
                total += count
                buckets.append((bound, total))
            family.add_metric((str(generation),), buckets, self._sums[generation])
        yield family
