"""How long the last attempts took, for a person to look at."""

import math
from collections import deque

# Enough for a 99th percentile, and 8 KiB.
KEPT = 1000
QUANTILES = (0.5, 0.9, 0.99)


class Latencies:
    """The last attempts of one dependency. Dashboards have the histogram; this is for now."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=KEPT)

    def add(self, seconds: float) -> None:
        self._seconds.append(seconds)

    def quantiles(self) -> dict[str, float]:
        """`{"p50": ms, "p90": ms, "p99": ms}` by nearest rank; empty before the first attempt."""
        ordered = sorted(self._seconds)
        return {
            f"p{round(q * 100)}": round(ordered[math.ceil(q * len(ordered)) - 1] * 1000, 2)
            for q in QUANTILES
            if ordered
        }
