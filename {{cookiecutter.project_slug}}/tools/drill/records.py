"""What a load was answered, and the figures that promises are made of."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import orjson

# Later than this at its 99th percentile, the generator was the bottleneck: latencies then
# are its own. Twice what a loop that is not held up needs for a timer and a batch.
LAG_LIMIT = 0.020


class Kind(StrEnum):
    """How a request ended, as its caller sees it."""

    OK = "answered"
    REFUSED = "refused (503, 429)"
    LATE = "out of time (504)"
    FAILED = "failed"
    LEFT = "caller left"


class Record(NamedTuple):
    """One request; times are seconds of the monotonic clock, `status` 0 is no answer."""

    route: str
    intended: float
    sent: float
    ended: float
    status: int
    error: str
    key: str
    order: str

    def __str__(self) -> str:
        return f"{self.route} {self.status or self.error}"

    @property
    def latency(self) -> float:
        """Seconds since the request was due: what its caller waited."""
        return self.ended - self.intended

    @property
    def kind(self) -> Kind:
        """Its class in scorecards and pictures."""
        if self.error == "hung up":
            return Kind.LEFT
        if 200 <= self.status < 400:
            return Kind.OK
        if self.status in (503, 429):
            return Kind.REFUSED
        return Kind.LATE if self.status == 504 else Kind.FAILED


class Records:
    """The requests of one load, in the order in which they ended."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = list(records)

    @classmethod
    def read(cls, path: Path) -> "Records":
        """From the generator's file."""
        lines = path.read_bytes().splitlines()
        return cls(Record(*orjson.loads(line)) for line in lines)

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def where(self, wanted: Callable[[Record], bool]) -> "Records":
        """Those of them."""
        return Records(filter(wanted, self._records))

    def of(self, *routes: str) -> "Records":
        """Those of these routes."""
        return self.where(lambda record: record.route in routes)

    def kinds(self, *kinds: Kind) -> "Records":
        """Those that ended so."""
        return self.where(lambda record: record.kind in kinds)

    def between(self, begin: float, end: float) -> "Records":
        """Those that were due in this time."""
        return self.where(lambda record: begin <= record.intended < end)

    def latency(self, quantile: float) -> float:
        """A quantile of the latency in seconds; 0 without records."""
        return quantile_of((record.latency for record in self), quantile)

    @property
    def lag(self) -> float:
        """How late the generator was, at its 99th percentile, in seconds."""
        return quantile_of((record.sent - record.intended for record in self), 0.99)

    def outcomes(self) -> str:
        """Every status and error with its count, for people."""
        counts = Counter(str(record.status or record.error) for record in self)
        return ", ".join(f"{count} x {name}" for name, count in counts.most_common()) or "none"


def quantile_of(values: Iterable[float], quantile: float) -> float:
    """The smallest value that this share of them does not exceed; 0 without values."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    return ordered[min(int(quantile * len(ordered)), len(ordered) - 1)]
