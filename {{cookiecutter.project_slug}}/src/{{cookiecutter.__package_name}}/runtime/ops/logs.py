"""`/logs`: how many records are written, sampled out and dropped."""

from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from ..http.layer_costs import find_layer
from ..http.request_context import RequestContext
from ..observability.history import Lookback, every
from ..observability.levels import ROOT
from ..observability.logs import Pipeline
from ..shutdown import Closing
from .documents import Content, Document

INTERVAL = 1.0  # seconds between two looks
OVER = 10.0  # seconds: what a rate is the mean of
NEWS = 60.0  # seconds that a dropped record is news
# Where the layer that decides has been taken out, every record is written and nothing traced.
ALL: Mapping[str, Any] = {
    "sample_rate": 1.0,
    "key_route_rate": 1.0,
    "key_routes": [],
    "trace_ratio": 0.0,
}


class Rates:
    """How many records there were per second, over the last ten, and how many were dropped."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._counts = Lookback(OVER, self._sums())
        self._dropped = Lookback(NEWS, pipeline.writer.dropped)

    def look(self, _: float) -> None:
        """Remember what has been counted by now."""
        self._counts.add(self._sums())
        self._dropped.add(self._pipeline.writer.dropped)

    def report(self) -> Mapping[str, float]:
        """Records per second. By the clock, so that a look that comes late changes nothing."""
        seconds, before = self._counts.oldest()
        written, sampled = (
            round((b - a) / seconds, 2) if seconds else 0.0
            for a, b in zip(before, self._sums(), strict=True)
        )
        return {"written": written, "sampled": sampled}

    def dropped(self) -> Mapping[str, int]:
        """Since the start, and in the last minute."""
        total = self._pipeline.writer.dropped
        return {"dropped": total, "dropped_last_minute": total - self._dropped.oldest()[1]}

    def _sums(self) -> tuple[int, int]:
        counts = self._pipeline
        return sum(counts.written.values()), sum(counts.sampled.values())


def open_log_counts(closing: Closing, pipeline: Pipeline, app: ASGIApp) -> Document:
    """What is shown.

    Args:
        app: the chain of layers, one of which decides what is sampled.
    """
    rates, sampling = Rates(pipeline), find_layer(app, RequestContext)
    closing.task("log rates", every(INTERVAL, rates.look))

    def read() -> Content:
        return {
            "records": [
                {"level": level, "written": number, "sampled": pipeline.sampled[level]}
                for level, number in pipeline.written.items()
            ],
            **rates.dropped(),
            "per_second": rates.report(),
            "sampling": sampling.report() if sampling else ALL,
            "level": pipeline.levels.report(ROOT)["level"],
        }

    return Document("/logs", "how many records are written, sampled out and dropped", read)
