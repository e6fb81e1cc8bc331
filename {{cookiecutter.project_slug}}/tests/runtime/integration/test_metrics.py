"""What Prometheus scrapes: the names of the dashboards, and labels without end."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter

from ...support.serving import ORDER, Served, served

COUNT = "http_server_request_duration_seconds_count"
BOUND = 5.0


@pytest.fixture
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("metrics")) as it:
        yield it


async def test_a_route_is_counted_by_its_template(running: Served) -> None:
    order = (await running.client.post("/api/orders", json=ORDER)).json()
    for path in (order["id"], "ord_01KAV5W0Q4E1YB9GQ2Z3X7M8NT", "malformed"):
        await running.client.get(f"/api/orders/{path}")
    one = {"method": "GET", "route": "/api/orders/{order_id}"}
    assert await running.metric(COUNT, **one, status="200") == 1
    assert await running.metric(COUNT, **one, status="404") == 2
    assert await running.metric(COUNT, method="POST", route="/api/orders", status="201") == 1


async def test_an_included_router_s_route_has_its_prefix(running: Served) -> None:
    async def read(item: str) -> str:
        return item

    router = APIRouter()
    router.add_api_route("/items/{item}", read)
    running.service.api.include_router(router, prefix="/api/shop")
    assert (await running.client.get("/api/shop/items/7")).json() == "7"
    assert await running.metric(COUNT, route="/api/shop/items/{item}") == 1


async def test_labels_have_an_end(running: Served) -> None:
    unusual = ("PROPFIND", "MKCOL", "PURGE", "LINK", "SEARCH")  # that the parser lets through
    for n, method in enumerate(unusual):
        await running.client.get(f"/no/such/path/{n}")
        await running.client.request(method, "/api/version")
    assert await running.metric(COUNT, route="unmatched", method="GET", status="404") == 5
    assert await running.metric(COUNT, method="_OTHER") == 5
    text = (await running.ops.get("/metrics")).text
    assert "such/path" not in text
    assert not any(method in text for method in unusual)


async def test_requests_in_flight_are_counted_up_and_down(running: Served) -> None:
    started, gate = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        started.set()
        await gate.wait()

    async def fail() -> None:
        raise LookupError

    running.service.api.router.add_api_route("/api/lab/wait", wait)
    running.service.api.router.add_api_route("/api/lab/fail", fail)
    name = "http_server_active_requests"
    tasks = [asyncio.ensure_future(running.client.get("/api/lab/wait")) for _ in range(3)]
    async with asyncio.timeout(BOUND):
        await started.wait()
        while await running.metric(name) != 3:
            await asyncio.sleep(0.01)
        tasks[0].cancel()  # hangs up
        await running.client.get("/api/lab/fail")
        while await running.metric(name) != 2:
            await asyncio.sleep(0.01)
        gate.set()
        await asyncio.gather(*tasks[1:])
    assert await running.metric(name) == 0


async def test_log_records_are_counted_by_what_became_of_them(running: Served) -> None:
    written = {"level": "info", "outcome": "written"}
    before = await running.metric("log_records_total", **written)
    await running.client.get("/api/version")
    assert await running.metric("log_records_total", **written) == before + 1
    running.records.dropped = 3
    assert await running.metric("log_records_total", outcome="dropped") == 3


async def test_what_holds_the_event_loop_up_is_measured(running: Served) -> None:
    gc.collect()
    assert await running.metric("gc_pause_seconds_count", generation="2") >= 1
    buckets = {"generation": "2", "le": "+Inf"}
    assert await running.metric("gc_pause_seconds_bucket", **buckets) >= 1
    async with asyncio.timeout(BOUND):
        while await running.metric("event_loop_lag_seconds_count") < 1:
            await asyncio.sleep(0.05)


async def test_what_runs_here_is_a_metric(running: Served) -> None:
    info = (await running.ops.get("/info")).json()
    text = (await running.ops.get("/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith("service_info")]
    assert len(lines) == 1
    assert lines[0].endswith(" 1.0")
    for name in ("name", "version", "commit"):
        assert f'{name}="{info[name]}"' in lines[0]


async def test_every_outcome_of_a_reload_is_there_before_it_happens(running: Served) -> None:
    text = (await running.ops.get("/metrics")).text
    for outcome in ("applied", "refused", "lost"):
        assert 'config_reloads_total{outcome="' + outcome + '"} 0.0' in text


async def test_the_names_that_dashboards_rely_on_are_there(running: Served) -> None:
    await running.client.post("/api/orders", json=ORDER)
    text = (await running.ops.get("/metrics")).text
    for name in (
        "http_server_request_duration_seconds",
        "http_server_active_requests",
        "http_server_requests_shed_total",
        "deadline_exceeded_total",
        "http_client_request_duration_seconds",
        "log_records_total",
        "event_loop_lag_seconds",
        "gc_pause_seconds",
        "process_resident_memory_bytes",
    ):
        family = name.removesuffix("_total")
        assert f"# TYPE {name} " in text or f"# TYPE {family} " in text


async def test_two_services_in_one_process_do_not_share_their_numbers(
    tmp_path_factory: pytest.TempPathFactory, running: Served
) -> None:
    async with served(tmp_path_factory.mktemp("other")) as other:
        await other.client.get("/api/version")
        assert await other.metric(COUNT, route="/api/version") == 1
    assert await running.metric(COUNT, route="/api/version") == 0
    assert len(gc.callbacks) >= 1
