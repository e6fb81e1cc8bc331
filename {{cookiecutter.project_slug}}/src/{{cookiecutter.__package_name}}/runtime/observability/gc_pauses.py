"""Pauses of the garbage collector, by generation."""

import gc
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from .histograms import LoopHistogram

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class GcPauses:
    """Fills a histogram from `gc.callbacks`."""

    def __init__(self) -> None:
        self._histogram = LoopHistogram(
            "gc_pause_seconds", "Pauses of the garbage collector.", ("generation",), BOUNDS
        )
        self._observe = [self._histogram.labels(str(number)).observe for number in range(3)]
        self._began = 0.0

    def watch(self, registry: CollectorRegistry) -> Callable[[], None]:
        """Measure from now on; returns what ends it."""
        registry.register(self._histogram)
        gc.callbacks.append(self._on_gc)
        return lambda: gc.callbacks.remove(self._on_gc)

    def _on_gc(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self._observe[info["generation"]](time.perf_counter() - self._began)
