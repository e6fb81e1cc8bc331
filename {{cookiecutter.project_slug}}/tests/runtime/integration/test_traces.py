"""Traces: spans, log records and headers tell the same story."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from opentelemetry import propagate

from steadfast_service.runtime.config.groups import Group
from steadfast_service.runtime.observability.traces import (
    Tracing,
    endpoint_from,
    open_tracing,
)
from steadfast_service.runtime.shutdown import Closing

from ...support.changing import Changing
from ...support.collector import CLIENT, SERVER, Collector, collecting
from ...support.serving import ORDER, served
from ...support.upstream import Payments, payments

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SERVICE = {"name": "tested", "version": "1"}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the environment names, as in a cluster."""
    with collecting() as it:
        monkeypatch.setenv(ENDPOINT, it.url)
        monkeypatch.setenv("POD_NAME", "orders-7")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=checkout")
        yield it


@pytest.fixture
async def upstream() -> AsyncIterator[Payments]:
    async with payments() as it:
        yield it


async def test_a_sampled_request_is_one_trace_with_its_logs_and_calls(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector, upstream: Payments
) -> None:
    async with served(
        tmp_path_factory.mktemp("traced"),
        tracing={"sample_ratio": 1},
        dependencies={"payments": {"url": upstream.url}},
        name="shop",
    ) as running:
        response = await running.client.post("/api/orders", json=ORDER)
        assert response.status_code == 201
        order = response.json()["id"]
        assert (await running.client.get(f"/api/orders/{order}")).status_code == 200
    placed, found = collector.of(SERVER)
    assert placed.attributes["http.route"] == "/api/orders"
    assert found.attributes["http.route"] == "/api/orders/{order_id}"
    assert placed.parent_id == found.parent_id == ""
    assert placed.resource["service.name"] == "shop"
    assert placed.resource["k8s.pod.name"] == "orders-7"
    assert placed.resource["team"] == "checkout"

    ours = [r for r in running.records.of("request") if r["path"].startswith("/api/")]
    assert [(r["trace_id"], r["span_id"]) for r in ours] == [
        (placed.trace_id, placed.span_id),
        (found.trace_id, found.span_id),
    ]

    [call] = collector.of(CLIENT)
    assert (call.trace_id, call.parent_id) == (placed.trace_id, placed.span_id)
    sent = upstream.requests[-1].headers["traceparent"]
    assert sent == f"00-{call.trace_id}-{call.span_id}-01"


async def test_a_caller_s_decision_wins(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector, upstream: Payments
) -> None:
    dependencies = {"payments": {"url": upstream.url}}
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "a=1"}
    async with served(
        tmp_path_factory.mktemp("inbound"),
        tracing={"sample_ratio": 0},
        dependencies=dependencies,
    ) as running:
        await running.client.post("/api/orders", json=ORDER, headers=headers)
        await running.client.post("/api/orders", json=ORDER)
    [server] = collector.of(SERVER)
    assert (server.trace_id, server.parent_id) == (TRACE, PARENT)
    assert upstream.requests[0].headers["tracestate"] == "a=1"
    # The second request is not recorded, and says so to whom it calls.
    assert upstream.requests[1].headers["traceparent"].endswith("-00")
    collector.spans.clear()

    headers = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
    async with served(
        tmp_path_factory.mktemp("unsampled"),
        tracing={"sample_ratio": 1},
        dependencies=dependencies,
    ) as running:
        await running.client.post("/api/orders", json=ORDER, headers=headers)
    assert collector.spans == []
    _, trace_id, _, flags = upstream.requests[-1].headers["traceparent"].split("-")
    assert (trace_id, flags) == (TRACE, "00")


async def test_a_failed_request_has_its_span_too(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector
) -> None:
    async def broken() -> None:
        raise LookupError

    folder = tmp_path_factory.mktemp("failed")
    async with served(folder, tracing={"sample_ratio": 1}) as running:
        running.service.api.router.add_api_route("/api/lab/broken", broken)
        response = await running.client.get("/api/lab/broken")
        assert response.status_code == 500
    [span] = collector.of(SERVER)
    assert span.trace_id == response.headers["x-request-id"]
    assert span.attributes["http.response.status_code"] == 500
    [record] = running.records.of("unhandled exception")
    assert (record["trace_id"], record["span_id"]) == (span.trace_id, span.span_id)


async def test_a_collector_that_hangs_does_not_hold_the_process_up(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        async with served(
            tmp_path_factory.mktemp("hanging"),
            tracing={"sample_ratio": 1},
            http={"close_timeout": 1},
        ) as running:
            assert (await running.client.get("/api/version")).status_code == 200
            began = time.monotonic()
        assert time.monotonic() - began < 5
    assert [record["what"] for record in running.records.of("close timed out")] == ["telemetry"]
    # What is left behind ends with the process. Here it would go on beside later tests: the
    # exporter draws its back-off from `random`, which hypothesis takes for a strategy's doing.
    for thread in threading.enumerate():
        if thread.name == "telemetry-flush":
            await asyncio.to_thread(thread.join, 30)
            assert not thread.is_alive()


async def test_without_a_collector_there_are_ids_and_no_spans(
    tmp_path_factory: pytest.TempPathFactory, upstream: Payments
) -> None:
    async with served(
        tmp_path_factory.mktemp("untraced"),
        tracing={"sample_ratio": 1},
        dependencies={"payments": {"url": upstream.url}},
    ) as running:
        await running.client.post("/api/orders", json=ORDER)
        [record] = running.records.of("request")
    header = f"00-{record['trace_id']}-{record['span_id']}-00"
    assert upstream.requests[-1].headers["traceparent"] == header


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({}, ""),
        ({ENDPOINT: "http://a"}, "http://a"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b"}, "http://b"),
        ({ENDPOINT: "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b"}, "http://b"),
        ({ENDPOINT: "http://a", "OTEL_SDK_DISABLED": "TRUE"}, ""),
    ],
)
def test_opentelemetry_s_own_variables_switch_it_on(environ: dict[str, str], endpoint: str) -> None:
    assert endpoint_from(environ) == endpoint


async def test_any_client_of_opentelemetry_s_carries_the_request_on(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector
) -> None:
    async def inject() -> dict[str, str]:
        headers: dict[str, str] = {}
        propagate.inject(headers)
        return headers

    folder = tmp_path_factory.mktemp("injected")
    async with served(folder, tracing={"sample_ratio": 1}) as running:
        running.service.api.router.add_api_route("/api/lab/inject", inject)
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "a=1"}
        sent = (await running.client.get("/api/lab/inject", headers=headers)).json()
    [span] = collector.of(SERVER)
    assert sent == {"traceparent": f"00-{TRACE}-{span.span_id}-01", "tracestate": "a=1"}
    outside: dict[str, str] = {}
    propagate.inject(outside)
    assert outside == {}


async def test_switched_off_there_is_nothing_to_close() -> None:
    tracing = Tracing(service={}, ratio=1, environ={})
    assert not tracing.enabled
    await tracing.close()
    with tracing.tracer().start_as_current_span("call") as span:
        assert not span.is_recording()


class Ratio(Group):
    sample_ratio: float = 1


async def test_outside_of_requests_the_settings_ratio_decides_as_it_is_now(
    collector: Collector,
) -> None:
    ratio = Changing(Ratio())
    async with Closing(5) as closing:
        environ = {ENDPOINT: collector.url}
        tracer = open_tracing(closing, ratio, SERVICE, environ).tracer()
        for number, now in enumerate((1, 0, 1)):
            ratio.change(sample_ratio=now)
            tracer.start_span(f"job {number}").end()
        with pytest.raises(ValueError, match=r"\[0.0, 1.0\]"):
            ratio.change(sample_ratio=2)
        tracer.start_span("job 3").end()
    assert [span.name for span in collector.spans] == ["job 0", "job 2", "job 3"]
