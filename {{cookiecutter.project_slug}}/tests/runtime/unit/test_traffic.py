"""Rates and latencies of the last minutes, whatever the event loop did meanwhile."""

import pytest

from steadfast_service.runtime.observability.histograms import (
    LoopHistogram,
    quantile,
)
from steadfast_service.runtime.observability.history import Lookback
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.ops.traffic import (
    NOW,
    ROUTE_WINDOW,
    ROUTES,
    WINDOW,
    Traffic,
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def traffic(metrics: Metrics) -> Traffic:
    return Traffic(metrics.request_duration)


def requests(metrics: Metrics, number: int, route: str = "/a", status: int = 200) -> None:
    for _ in range(number):
        metrics.observe_request("GET", route, status, 0.004)


def test_a_quantile_lies_in_its_bucket_in_proportion() -> None:
    histogram = LoopHistogram("a", "b", (), (1.0, 2.0, 4.0))
    series = histogram.labels()
    assert quantile(histogram.bounds, series.counts, 0.5) is None
    for value in (0.5, 1.5, 1.5, 3.0):
        series.observe(value)
    found = [quantile(histogram.bounds, series.counts, share) for share in (0.25, 0.5, 0.75, 1)]
    assert found == [1.0, 1.5, 2.0, 4.0]
    series.observe(100.0)  # what is beyond the last bound is at least that
    assert quantile(histogram.bounds, series.counts, 1) == 4.0


def test_a_rate_is_per_second_that_has_really_passed(metrics: Metrics, traffic: Traffic) -> None:
    requests(metrics, 10)
    traffic.look(1.0)
    requests(metrics, 10)
    traffic.look(5.0)  # the loop was blocked, and its clock was not
    report = traffic.report()
    assert report["history"]["rate"] == [10, 2]
    assert report["now"]["rate"] == round(20 / 6, 2)
    [route] = report["routes"]
    assert (route["requests"], route["history"]["rate"]) == (20, [10, 2])


def test_errors_are_what_failed_here(metrics: Metrics, traffic: Traffic) -> None:
    for status, number in ((200, 6), (404, 2), (503, 2)):
        requests(metrics, number, status=status)
    traffic.look(1.0)
    report = traffic.report()
    assert (report["now"]["errors_per_second"], report["now"]["error_ratio"]) == (2, 0.2)
    [route] = report["routes"]
    assert (route["errors"], route["error_ratio"]) == (2, 0.2)
    assert route["statuses"] == {"200": 6, "404": 2, "503": 2}


def test_a_latency_is_forgotten_after_a_minute(metrics: Metrics, traffic: Traffic) -> None:
    metrics.observe_request("GET", "/a", 200, 3.0)
    traffic.look(1.0)
    for _ in range(ROUTE_WINDOW - 1):
        traffic.look(1.0)
    [route] = traffic.report()["routes"]
    assert route["p99_ms"] > 2500
    assert len(route["history"]["p99_ms"]) == ROUTE_WINDOW
    requests(metrics, 1)
    traffic.look(1.0)
    report = traffic.report()
    assert report["routes"][0]["p99_ms"] < 5
    assert report["now"]["p99_ms"] < 5
    assert report["history"]["p99_ms"][0] > 2500


def test_without_requests_nothing_is_made_up(traffic: Traffic) -> None:
    assert traffic.report()["history"]["at"] == []
    for _ in range(WINDOW + 10):
        traffic.look(1.0)
    report = traffic.report()
    assert (report["now"]["rate"], report["now"]["error_ratio"]) == (0, None)
    assert (report["now"]["p50_ms"], report["routes"]) == (None, [])
    assert len(report["history"]["rate"]) == WINDOW


def test_of_many_routes_the_busiest_are_followed(metrics: Metrics, traffic: Traffic) -> None:
    for number in range(3 * ROUTES):
        requests(metrics, 1, f"/quiet/{number}")
    for _ in range(NOW):
        requests(metrics, 5, "/busy", status=500)
        traffic.look(1.0)
    traffic.look(1.0)
    report = traffic.report()
    assert len(report["routes"]) == ROUTES
    assert report["more_routes"] == 2 * ROUTES + 1
    assert report["routes"][0]["route"] == "/busy"
    # All requests count, whoever has a history.
    assert report["history"]["rate"][0] == 3 * ROUTES + 5


def test_a_lookback_forgets_what_it_does_not_need() -> None:
    since_start = Lookback(1e9, "first")
    for value in ("second", "third"):
        since_start.add(value)
    assert since_start.oldest()[1] == "first"
    nothing = Lookback(0.0, "first")
    nothing.add("second")
    assert nothing.oldest()[1] == "second"
