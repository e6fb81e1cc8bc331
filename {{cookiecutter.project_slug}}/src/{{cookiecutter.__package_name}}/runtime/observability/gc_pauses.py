"""Pauses of the garbage collector, by generation."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence

from prometheus_client import CollectorRegistry

from .histograms import LoopHistogram

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class GcPauses:
    """Fills a histogram from `gc.callbacks`."""

    def __init__(self) -> None:
        self._histogram = LoopHistogram(
            "gc_pause_seconds", "Pauses of the garbage collector.", ("generation",), BOUNDS
        )
        self._series = [self._histogram.labels(str(number)) for number in range(3)]
        self._longest = [0.0] * 3
        self._began = 0.0

    def watch(self, registry: CollectorRegistry) -> Callable[[], None]:
        """Measure from now on; returns what ends it."""
        registry.register(self._histogram)
        gc.callbacks.append(self.on_gc)
        return lambda: gc.callbacks.remove(self.on_gc)

    def on_gc(self, phase: str, info: dict[str, int]) -> None:
        """What `gc.callbacks` calls, in whichever thread collects."""
        if phase == "start":
            self._began = time.perf_counter()
        else:
            generation, pause = info["generation"], time.perf_counter() - self._began
            self._series[generation].observe(pause)
            if pause > self._longest[generation]:
                self._longest[generation] = pause

    def report(self) -> Sequence[Mapping[str, float]]:
        """How many pauses each generation made, how long they took in all and at most."""
        return [
            {
                "pauses": sum(series.counts),
                "pause_ms_total": round(series.total * 1000, 3),
                "pause_ms_max": round(longest * 1000, 3),
            }
            for series, longest in zip(self._series, self._longest, strict=True)
        ]
