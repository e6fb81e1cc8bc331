"""Faults that are injected on purpose: what callers see of them, and that they can tell."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from ...support.collector import CLIENT, SERVER, Collector, collecting
from ...support.process import until
from ...support.serving import ORDER, Served, served

BOUND = 5.0
FOREVER = 3600
MARK = "x-injected-fault"
SPAN_MARK = "fault.injected"
TOKEN = "a-token-of-the-operators"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}


@asynccontextmanager
async def faulty(
    factory: pytest.TempPathFactory, *rules: dict[str, Any], **groups: Any
) -> AsyncIterator[Served]:
    groups |= {"faults": {"rules": rules}, "management": {"token": TOKEN}}
    async with served(factory.mktemp("faults"), **groups) as running, asyncio.timeout(30):
        yield running


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as it:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", it.url)
        yield it


TRACED = {"tracing": {"sample_ratio": 1}}


async def test_an_abort_is_marked_in_header_log_and_span(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector
) -> None:
    silent = {"log": {"sample_rate": 0, "key_route_rate": 0}}
    async with faulty(tmp_path_factory, {"abort_status": 404}, **TRACED, **silent) as running:
        response = await running.client.get("/api/version")
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["request_id"] == response.headers["x-request-id"]
        assert response.headers[MARK] == "abort=404"
        assert await running.metric("faults_injected_total", kind="abort") == 1
    [record] = running.records.of("fault injected")
    assert running.records.of("request") == []  # it was not one that the log keeps
    [span] = collector.of(SERVER)
    assert span.attributes[SPAN_MARK] == record["injected"] == "abort=404"
    assert span.attributes["http.response.status_code"] == 404
    assert (span.trace_id, span.span_id) == (record["trace_id"], record["span_id"])


async def test_an_aborted_request_is_part_of_its_caller_s_trace(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector
) -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    headers = {"traceparent": f"00-{trace}-{parent}-01"}
    async with faulty(tmp_path_factory, {"abort_status": 503}) as running:
        await running.client.get("/api/version", headers=headers)
        await running.client.get("/api/version", headers={"traceparent": f"00-{trace}-{parent}-00"})
    [span] = collector.of(SERVER)
    assert (span.trace_id, span.parent_id) == (trace, parent)


async def test_a_delayed_request_is_served_whole(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector
) -> None:
    async with faulty(tmp_path_factory, {"delay": 0.2}, **TRACED) as running:
        response = await running.client.post("/api/orders", json=ORDER)
        assert response.status_code == 201
        assert response.headers[MARK] == "delay=0.2"
        assert response.elapsed.total_seconds() >= 0.2
    [span] = collector.of(SERVER)
    assert span.attributes[SPAN_MARK] == "delay=0.2"
    assert span.attributes["http.route"] == "/api/orders"
    [request] = [r for r in running.records.of("request") if r["path"] == "/api/orders"]
    assert request["fault"] == "delay=0.2"


async def test_a_delay_counts_against_the_deadline_and_is_marked_in_what_that_answers(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector
) -> None:
    async with faulty(tmp_path_factory, {"delay": FOREVER}, **TRACED) as running:
        async with asyncio.timeout(BOUND):
            header = {"X-Request-Timeout-Ms": "100"}
            response = await running.client.get("/api/version", headers=header)
        assert response.status_code == 504
        assert response.headers[MARK] == "delay=3600"
    [span] = collector.of(SERVER)
    assert span.attributes[SPAN_MARK] == "delay=3600"


async def test_nobody_sleeps_for_a_caller_that_has_gone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    http = {"request_timeout": FOREVER, "grace": FOREVER}
    async with faulty(tmp_path_factory, {"delay": FOREVER}, http=http) as running:
        call = asyncio.create_task(running.client.get("/api/version"))
        await until(lambda: bool(running.records.of("fault injected")))
        call.cancel()
        await until(lambda: bool(running.records.of("request")))
        [request] = running.records.of("request")
        assert request["status"] == 499


async def test_a_slow_body_comes_whole_and_late(tmp_path_factory: pytest.TempPathFactory) -> None:
    rule = {"body_delay": 0.2, "route": "GET /api/version"}
    async with faulty(tmp_path_factory, rule) as running:
        async with running.client.stream("GET", "/api/version") as response:
            assert response.status_code == 200
            assert response.headers[MARK] == "body_delay=0.2"
            head = asyncio.get_running_loop().time()
            body = await response.aread()
            # The timer of the event loop may be a little early by its own resolution.
            assert asyncio.get_running_loop().time() - head > 0.15
        assert b"version" in body


async def test_a_caller_that_leaves_a_slow_body_ends_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    http = {"request_timeout": FOREVER, "grace": FOREVER}
    async with faulty(tmp_path_factory, {"body_delay": FOREVER}, http=http) as running:
        async with running.client.stream("GET", "/api/version"):
            assert running.records.of("request") == []
        await until(lambda: bool(running.records.of("request")))
        assert await running.metric("http_server_active_requests") == 0
        assert running.records.of("unhandled exception") == []


async def test_a_slow_body_is_cut_off_at_the_deadline(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    http = {"request_timeout": 0.2}
    async with faulty(tmp_path_factory, {"body_delay": FOREVER}, http=http) as running:
        with pytest.raises(httpx.RemoteProtocolError):
            await running.client.get("/api/version")
        assert running.records.of("response cut off")


async def test_only_the_fault_s_route_is_touched_and_no_probe_ever(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with faulty(
        tmp_path_factory, {"route": "GET /api/orders/{order_id}", "abort_status": 418}
    ) as running:
        for path, status in (
            ("/api/orders/ord_1", 418),
            ("/api/version", 200),
            ("/docs", 200),
            ("/livez", 200),
        ):
            response = await running.client.get(path)
            assert response.status_code == status
            assert (MARK in response.headers) is (status == 418)
        await running.ops.post("/faults", json={"abort_status": 500}, headers=OPERATOR)
        for path, status in (("/livez", 200), ("/readyz", 200), ("/docs", 500), ("/no", 500)):
            response = await running.client.get(path)
            assert response.status_code == status
            assert (MARK in response.headers) is (status == 500)


async def test_a_percentage_is_a_share(tmp_path_factory: pytest.TempPathFactory) -> None:
    rule = {"percentage": 50, "abort_status": 500}
    async with faulty(tmp_path_factory, rule) as running:
        answers = [await running.client.get("/api/version") for _ in range(200)]
        struck = [answer for answer in answers if answer.status_code == 500]
        # Outside of these once in 10^12 runs.
        assert 50 < len(struck) < 150
        assert all((MARK in answer.headers) is (answer in struck) for answer in answers)


async def test_a_fault_that_is_removed_lets_those_finish_that_it_struck(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with faulty(tmp_path_factory, {"delay": 0.5}) as running:
        call = asyncio.create_task(running.client.get("/api/version"))
        await until(lambda: bool(running.records.of("fault injected")))
        removed = await running.ops.delete("/faults/1", headers=OPERATOR)
        assert removed.status_code == 204
        assert not call.done()
        after = await running.client.get("/api/version")
        assert (after.status_code, MARK in after.headers) == (200, False)
        response = await call
        assert (response.status_code, response.headers[MARK]) == (200, "delay=0.5")
        assert (await running.ops.get("/faults")).json()["faults"] == []


async def test_a_dependency_that_fails_on_purpose_is_marked_on_the_answer_and_its_span(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector
) -> None:
    rule = {"dependency": "payments", "fail": True}
    async with faulty(tmp_path_factory, rule, **TRACED) as running:
        response = await running.client.post("/api/orders", json=ORDER)
        assert response.headers[MARK] == "dependency=payments;fail=1"
        other = await running.client.get("/api/orders")
        assert (other.status_code, MARK in other.headers) == (200, False)
        failed = await running.metric("http_client_request_duration_seconds_count", outcome="error")
        assert failed == 1
    calls = collector.of(CLIENT)
    assert calls
    assert {call.attributes.get(SPAN_MARK) for call in calls} == {response.headers[MARK]}


async def test_a_dependency_that_is_slow_on_purpose_runs_into_its_own_timeout(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    rule = {"dependency": "payments", "delay": FOREVER}
    short = dict.fromkeys(("timeout", "attempt_timeout", "connect_timeout"), 0.2)
    async with faulty(tmp_path_factory, rule, dependencies={"payments": short}) as running:
        async with asyncio.timeout(BOUND):
            response = await running.client.post("/api/orders", json=ORDER)
        assert response.status_code == 504
        assert response.headers[MARK] == "dependency=payments;delay=3600"
        assert await running.metric("faults_injected_total", kind="dependency_delay") >= 1
