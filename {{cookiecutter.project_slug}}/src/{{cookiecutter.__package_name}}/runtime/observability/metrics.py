"""Prometheus metrics: the names that dashboards and alerts rely on, in one registry.

Labels are bounded: a route is its template, an unknown path is `unmatched`, an unknown
method is `_OTHER`. Numbers that others count already (log records) are read at scrape
time and cost nothing before.
"""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from ..shutdown import Closing
from .failures import Failures
from .gc_pauses import GcPauses
from .heartbeat import Heartbeat
from .histograms import LoopHistogram
from .logs import Pipeline

UNMATCHED = "unmatched"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Seconds. From a cache hit to the default deadline of 5 s, finest around usual targets.
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LAG_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


# What a counter or gauge reads when it is scraped: label values and the number.
Counts = Callable[[], Iterable[tuple[tuple[str, ...], float]]]


class Metrics:
    """Every instrument of the machinery; yours go into the same `registry`."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        for default in (ProcessCollector, PlatformCollector, GCCollector):
            default(registry=registry)
        self.request_duration = LoopHistogram(
            "http_server_request_duration_seconds",
            "Time from the request's head to the last byte of its response.",
            ("method", "route", "status"),
            LATENCY_BUCKETS,
        )
        registry.register(self.request_duration)
        self.requests_shed = Counter(
            "http_server_requests_shed_total",
            "Requests refused before any work was done.",
            ("reason",),
            registry=registry,
        )
        self.deadline_exceeded = Counter(
            "deadline_exceeded_total", "Requests ended by their deadline.", registry=registry
        )
        self.client_duration = LoopHistogram(
            "http_client_request_duration_seconds",
            "Time of a call to a dependency with its retries, as its caller saw it.",
            ("dependency", "route", "outcome"),
            LATENCY_BUCKETS,
        )
        registry.register(self.client_duration)
        self.client_attempts = Counter(
            "http_client_attempts_total",
            "Attempts of calls to a dependency.",
            ("dependency", "outcome"),
            registry=registry,
        )
        self.breaker_transitions = Counter(
            "circuit_breaker_transitions_total",
            "Changes of a circuit breaker's state.",
            ("dependency", "from", "to"),
            registry=registry,
        )
        self.loop_lag = Histogram(
            "event_loop_lag_seconds",
            "How late the event loop ran a timer: time that every request waited.",
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self.heartbeat = Heartbeat()
        self.heartbeat.observe(self.loop_lag.observe)
        self.gc_pauses = GcPauses()
        self.failures = Failures()
        # What requests wait for besides `client_duration`: its name, its kind, its seconds.
        self.waits: list[tuple[str, str, LoopHistogram]] = []
        self._observers: dict[tuple[str, str, int], Callable[[float], None]] = {}

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One finished request; `route` is a template, never a path."""
        key = (method, route, status)
        observe = self._observers.get(key)
        if observe is None:
            verb = method if method in METHODS else "_OTHER"
            observe = self.request_duration.labels(verb, route, str(status)).observe
            if verb == method:  # a made-up method must not grow this table
                self._observers[key] = observe
        observe(seconds)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when it is scraped."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def counter(self, name: str, text: str, labels: tuple[str, ...], read: Counts) -> None:
        """A counter whose values, by label values, are read when it is scraped."""
        self.registry.register(_Read(CounterMetricFamily, name, text, labels, read))

    def gauges(self, name: str, text: str, labels: tuple[str, ...], read: Counts) -> None:
        """The same for gauges."""
        self.registry.register(_Read(GaugeMetricFamily, name, text, labels, read))


def open_metrics(closing: Closing, pipeline: Pipeline, info: Mapping[str, str]) -> Metrics:
    """The instruments, with those of the log, the garbage collector and the event loop.

    Args:
        info: the labels of `service_info`, by which a version's numbers can be told apart.
    """
    metrics = Metrics()
    Info("service", "What runs here.", registry=metrics.registry).info(dict(info))
    _count_records(metrics, pipeline)
    closing.add("gc pauses", metrics.gc_pauses.watch(metrics.registry))
    closing.task("heartbeat", metrics.heartbeat.run())
    return metrics


def _count_records(metrics: Metrics, pipeline: Pipeline) -> None:
    """`log_records_total`, by level and by what became of the record."""

    def read() -> Iterable[tuple[tuple[str, ...], float]]:
        for level, number in pipeline.written.items():
            yield (level, "written"), number
        for level, number in pipeline.sampled.items():
            yield (level, "sampled"), number
        yield ("any", "dropped"), pipeline.writer.dropped

    text = "Log records: written, sampled out, or dropped because the reader was too slow."
    metrics.counter("log_records", text, ("level", "outcome"), read)


Family = type[CounterMetricFamily] | type[GaugeMetricFamily]


class _Read(Collector):
    def __init__(
        self, family: Family, name: str, text: str, labels: tuple[str, ...], read: Counts
    ) -> None:
        self._family = family
        self._names = (name, text, labels)
        self._read = read

    def describe(self) -> Iterable[Metric]:
        name, text, labels = self._names
        yield self._family(name, text, labels=labels)

    def collect(self) -> Iterable[Metric]:
        name, text, labels = self._names
        family = self._family(name, text, labels=labels)
        for values, number in self._read():
            family.add_metric(values, number)
        yield family
