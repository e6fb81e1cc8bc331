"""Histograms that are observed on the event loop's thread alone: no lock, a third of the cost.

Without a lock the garbage collector can be observed too. It may start anywhere, also while
this thread holds a metric's lock, and would then wait for itself for ever.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Series:
    """The observations under one set of label values."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value; a bucket includes its bound."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


class LoopHistogram(Collector):
    """A family of series.

    Args:
        bounds: upper bounds of the buckets, ascending, without infinity.
    """

    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], bounds: tuple[float, ...]
    ) -> None:
        self.bounds = bounds
        self._family = (name, text, labels)
        self._series: dict[tuple[str, ...], Series] = {}

    def labels(self, *values: str) -> Series:
        """The series of these label values, made when first asked for."""
        series = self._series.get(values)
        if series is None:
            series = self._series[values] = Series(self.bounds)
        return series

    @property
    def series(self) -> Mapping[tuple[str, ...], Series]:
        """All of them by their label values, in the order in which they came; not a copy."""
        return self._series

    def describe(self) -> Iterable[Metric]:
        name, text, labels = self._family
        yield HistogramMetricFamily(name, text, labels=labels)

    def collect(self) -> Iterable[Metric]:
        name, text, labels = self._family
        family = HistogramMetricFamily(name, text, labels=labels)
        for values, series in self._series.items():
            count = 0
            buckets: list[tuple[str, float]] = []
            for bound, number in zip((*map(str, self.bounds), "+Inf"), series.counts, strict=True):
                count += number
                buckets.append((bound, count))
            family.add_metric(values, buckets, series.total)
        yield family


def quantile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float | None:
    """The value below which this share of the observations lies; None without any.

    As if those of a bucket lay evenly in it. What is beyond the last bound counts as that.
    """
    rank = share * sum(counts)
    if not rank:
        return None
    seen, lower = 0, 0.0
    for bound, number in zip(bounds, counts, strict=False):  # the last one has no bound
        if seen + number >= rank:
            return lower + (bound - lower) * (rank - seen) / number
        seen += number
        lower = bound
    return lower
