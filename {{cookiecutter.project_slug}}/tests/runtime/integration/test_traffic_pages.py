"""`/traffic`, `/chain`, `/time` and `/load`: what a running service says of its requests."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from steadfast_service.runtime.http.layer_costs import REQUESTS, layers_of
from steadfast_service.runtime.http.recovery import Recovery
from steadfast_service.runtime.http.request_context import RequestContext
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.ops.layers import open_layers
from steadfast_service.runtime.ops.load import open_load
from steadfast_service.runtime.ops.time_spent import open_time_spent
from steadfast_service.runtime.ops.traffic import open_traffic
from steadfast_service.runtime.shutdown import Closing

from ...support.serving import ORDER, Served, served

BOUND = 20.0  # seconds; far above what a busy machine needs
LAYERS = [
    "RequestContext",
    "AccessLog",
    "Recovery",
    "RateLimit",
    "LoadShedding",
    "DeadlineGuard",
    "FaultInjection",
]


@pytest.fixture
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("traffic"), shedding={"target_lag": 0}) as it:
        yield it


async def page(running: Served, path: str) -> Any:
    response = await running.ops.get(path)
    assert response.status_code == 200
    return response.json()


async def until(running: Served, path: str, reached: Callable[[Any], bool]) -> Any:
    """The page, once it says so."""
    async with asyncio.timeout(BOUND):
        while not reached(found := await page(running, path)):
            await asyncio.sleep(0.05)
    return found


async def test_traffic_shows_each_route_with_its_errors(running: Served) -> None:
    async def fail() -> None:
        raise LookupError

    running.service.api.router.add_api_route("/api/lab/fail", fail)
    for _ in range(5):
        await running.client.get("/api/version")
    for _ in range(2):
        await running.client.get("/api/lab/fail")
    await running.client.get("/no/such")
    found = await until(running, "/traffic", lambda it: len(it["routes"]) == 3)
    routes = {row["route"]: row for row in found["routes"]}
    assert routes["/api/version"]["statuses"] == {"200": 5}
    assert routes["/api/lab/fail"]["errors"] == 2
    assert routes["/api/lab/fail"]["error_ratio"] == 1
    assert routes["unmatched"]["statuses"] == {"404": 1}
    assert found["now"]["rate"] > 0
    assert found["now"]["p50_ms"] <= found["now"]["p95_ms"] <= found["now"]["p99_ms"]
    assert found["now"]["active"] == 0
    history = found["history"]
    assert {len(values) for values in history.values()} == {len(history["at"])}
    assert abs(history["at"][-1] - time.time()) < BOUND


async def test_the_chain_names_its_layers_with_what_each_costs(running: Served) -> None:
    before = await page(running, "/chain")
    assert [layer["name"] for layer in before["layers"]] == LAYERS
    assert (before["measured_at"], before["samples"]) == (None, 0)
    assert before["layers"][0]["cost_us"] is None
    for _ in range(REQUESTS):
        await running.client.get("/api/version")
    found = await page(running, "/chain")
    assert found["samples"] == REQUESTS
    assert [layer["position"] for layer in found["layers"]] == [1, 2, 3, 4, 5, 6, 7]
    for layer in found["layers"]:
        assert 0 <= layer["cost_us"] <= layer["p95_us"]
        assert layer["text"].endswith(".")
        assert layer["report"]
    everything = [*found["layers"], found["application"]]
    assert math.isclose(sum(one["share"] for one in everything), 1, abs_tol=0.01)
    assert found["application"]["name"] == FastAPI.__name__


async def test_a_slow_layer_of_the_real_chain_is_named(
    running: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    unchanged = Recovery.__call__

    async def slow(self: Recovery, scope: Scope, receive: Receive, send: Send) -> None:
        end = time.perf_counter() + 0.01
        while time.perf_counter() < end:
            pass
        await unchanged(self, scope, receive, send)

    monkeypatch.setattr(Recovery, "__call__", slow)
    for _ in range(3):
        await running.client.get("/api/version")
    layers = (await page(running, "/chain"))["layers"]
    slowest = max(layers, key=lambda layer: layer["cost_us"])
    assert (slowest["name"], slowest["share"] > 0.5) == ("Recovery", True)


async def test_what_it_measured_with_is_gone_at_the_end(tmp_path: Path) -> None:
    async with served(tmp_path) as it:
        await it.client.get("/api/version")
        app = it.service.app
        layers = layers_of(app)
    for outer, inner in pairwise(layers):
        assert outer.app is inner
    assert type(app) is RequestContext


async def test_time_goes_to_its_parts(running: Served) -> None:
    async def idle() -> None:
        await asyncio.sleep(0.05)

    running.service.api.router.add_api_route("/api/lab/idle", idle)
    for _ in range(2):
        await running.client.get("/api/lab/idle")
        assert (await running.client.post("/api/orders", json=ORDER)).status_code == 201
        assert (await running.client.get("/api/orders")).status_code == 200
    found = await page(running, "/time")
    parts = {part["name"]: part for part in found["spent"]["parts"]}
    assert parts["payments"]["kind"] == "dependency"
    assert parts["payments"]["seconds"] > 0
    assert parts["this process"]["seconds"] >= 0.1
    assert found["spent"]["request_seconds"] > 0.1
    assert sum(part["share"] for part in parts.values()) >= 0.99
    routes = {(row["method"], row["route"]): row for row in found["routes"]}
    assert routes["GET", "/api/lab/idle"]["deadline_seconds"] == found["request_timeout"] == 5
    assert routes["GET", "/api/orders"]["deadline_seconds"] == 3  # as the contract has it
    assert routes["POST", "/api/orders"]["deadline_seconds"] == 5
    for row in routes.values():
        share = row["p99_ms"] / 1000 / row["deadline_seconds"]
        assert math.isclose(row["p99_share"], share, abs_tol=1e-3)
    assert found["exceeded"] == {"total": 0, "last_minute": 0}


async def test_a_deadline_that_passes_is_counted(running: Served) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    running.service.api.router.add_api_route("/api/lab/hang", hang)
    answer = await running.client.get("/api/lab/hang", headers={"X-Request-Timeout-Ms": "50"})
    assert answer.status_code == 504
    assert (await page(running, "/time"))["exceeded"] == {"total": 1, "last_minute": 1}


async def test_load_shows_what_is_in_flight_and_what_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with served(
        tmp_path_factory.mktemp("load"),
        shedding={"target_lag": 0, "max_in_flight": 1, "min_in_flight": 1},
        rate_limit={"limit": "3/hour"},
    ) as running:
        begun, gate = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            begun.set()
            await gate.wait()

        running.service.api.router.add_api_route("/api/lab/wait", wait)
        first = asyncio.create_task(running.client.get("/api/lab/wait"))
        await begun.wait()
        statuses = [(await running.client.get("/api/version")).status_code for _ in range(3)]
        assert statuses == [503, 503, 429]
        found = await until(running, "/load", lambda it: sum(it["history"]["refused"]) > 0)
        assert (found["in_flight"], found["limit"], found["max_in_flight"]) == (1, 1, 1)
        assert found["saturated"] is None  # the limit is fixed
        assert found["refused"] == {"concurrency": 2, "overload": 0, "rate_limit": 1}
        assert found["refused_per_second"] > 0
        assert found["rate_limit"] == {"limit": "3/hour", "enforced": True}
        assert {len(values) for values in found["history"].values()} == {
            len(found["history"]["at"])
        }
        assert found["history"]["in_flight"][-1] == 1
        gate.set()
        assert (await first).status_code == 200
        assert (await page(running, "/load"))["in_flight"] == 0


async def test_a_chain_without_these_layers_says_that_it_does_not_know() -> None:
    metrics, app = Metrics(), FastAPI()
    async with Closing(5) as closing:
        opened = [
            open_traffic(closing, metrics, app),
            open_layers(closing, app),
            open_time_spent(closing, metrics, app),
            open_load(closing, metrics, app),
        ]
        traffic, chain, spent, load = [await one.content() for one in opened]
    assert traffic["now"]["active"] is None
    assert chain["layers"] == []
    assert spent["request_timeout"] is None
    assert (load["in_flight"], load["rate_limit"]["limit"]) == (None, None)
