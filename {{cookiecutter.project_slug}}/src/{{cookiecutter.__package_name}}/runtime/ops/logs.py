"""`/logs`: how many records are written, sampled out and dropped."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from ..http.layer_costs import find_layer
from ..http.request_context import RequestContext
from ..observability.levels import ROOT
from ..observability.logs import Pipeline
from ..shutdown import Closing
from .documents import Content, Document

INTERVAL = 1.0  # seconds between two looks
OVER = 10  # of them: what a rate is the mean of
# Where the layer that decides has been taken out, every record is written and nothing traced.
ALL: Mapping[str, Any] = {
    "sample_rate": 1.0,
    "key_route_rate": 1.0,
    "key_routes": [],
    "trace_ratio": 0.0,
}


class Rates:
    """How many records there were per second, over the last ten."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._seen: deque[tuple[float, int, int]] = deque(maxlen=OVER + 1)
        self.look()

    def look(self) -> None:
        """Remember what has been counted by now."""
        counts = self._pipeline
        sums = sum(counts.written.values()), sum(counts.sampled.values())
        self._seen.append((time.monotonic(), *sums))

    async def run(self) -> None:
        """Look once a second; cancel it to end it."""
        while True:
            await asyncio.sleep(INTERVAL)
            self.look()

    def report(self) -> Mapping[str, float]:
        """Records per second. By the clock, so that a look that comes late changes nothing."""
        (began, *before), (ended, *now) = self._seen[0], self._seen[-1]
        seconds = ended - began
        written, sampled = (
            round((b - a) / seconds, 2) if seconds else 0.0
            for a, b in zip(before, now, strict=True)
        )
        return {"written": written, "sampled": sampled}


def open_log_counts(closing: Closing, pipeline: Pipeline, app: ASGIApp) -> Document:
    """What is shown.

    Args:
        app: the chain of layers, one of which decides what is sampled.
    """
    rates, sampling = Rates(pipeline), find_layer(app, RequestContext)
    closing.task("log rates", rates.run())

    def read() -> Content:
        return {
            "records": [
                {"level": level, "written": number, "sampled": pipeline.sampled[level]}
                for level, number in pipeline.written.items()
            ],
            "dropped": pipeline.writer.dropped,
            "per_second": rates.report(),
            "sampling": sampling.report() if sampling else ALL,
            "level": pipeline.levels.report(ROOT)["level"],
        }

    return Document("/logs", "how many records are written, sampled out and dropped", read)
