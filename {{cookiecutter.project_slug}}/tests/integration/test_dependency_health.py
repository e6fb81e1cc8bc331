"""What an open breaker does to readiness, to other routes, and what an operator can do to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from steadfast_service import app
from steadfast_service.runtime.outbound.dependencies import (
    open_dependencies,
)

from ..support.serving import ORDER, Served, served
from ..support.upstream_server import Upstream, upstream

TOKEN = "a-token-of-the-operators"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
SENSITIVE = {"min_calls": 2, "open_for": 60, "trials": 1}
FORCE = "/dependencies/payments/force"


@pytest.fixture
async def payments() -> AsyncIterator[Upstream]:
    async with upstream() as it:
        it.always = Response('{"approved": true}', media_type="application/json")
        yield it


@asynccontextmanager
async def serving(
    folder: Path, payments: Upstream, *, critical: bool = False
) -> AsyncIterator[Served]:
    options: dict[str, Any] = {
        "url": payments.url,
        "critical": critical,
        "breaker": SENSITIVE,
        "retry": {"attempts": 1},
    }
    async with served(
        folder,
        dependencies={"payments": options},
        management={"token": TOKEN},
    ) as running:
        yield running


async def trip(running: Served, payments: Upstream) -> None:
    payments.answers = [Response(status_code=500)] * 2
    for _ in range(2):
        assert (await running.client.post("/api/orders", json=ORDER)).status_code == 503


async def test_an_open_breaker_degrades_and_serves_on(tmp_path: Path, payments: Upstream) -> None:
    async with serving(tmp_path, payments) as running:
        await trip(running, payments)
        calls = len(payments.requests)
        refused = await running.client.post("/api/orders", json=ORDER)
        assert refused.status_code == 503
        assert 50 < int(refused.headers["retry-after"]) <= 60
        assert len(payments.requests) == calls
        assert (await running.client.get("/api/orders")).status_code == 200
        ready = await running.client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert ready.json()["checks"]["payments"]["error"].endswith("its circuit is open")
        assert await running.metric("circuit_breaker_state", dependency="payments") == 2
        assert await running.metric("circuit_breaker_refused_total") == 1
        changed = running.records.of("circuit changed")
        assert [(one["before"], one["after"]) for one in changed] == [("closed", "open")]


async def test_of_a_critical_dependency_it_makes_the_pod_unready(
    tmp_path: Path, payments: Upstream
) -> None:
    async with serving(tmp_path, payments, critical=True) as running:
        assert (await running.client.get("/readyz")).status_code == 200
    async with serving(tmp_path, payments, critical=True) as running:
        await trip(running, payments)
        ready = await running.client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "unready")
        # Live all the same: a restart mends nothing.
        assert (await running.client.get("/livez")).status_code == 200


async def test_an_operator_holds_it_open_and_lets_go(tmp_path: Path, payments: Upstream) -> None:
    async with serving(tmp_path, payments) as running:
        body = {"state": "open", "seconds": 60}
        assert (await running.ops.post(FORCE, json=body)).status_code == 401
        forced = await running.ops.post(FORCE, json=body, headers=AUTHORIZED)
        assert forced.json()["state"] == "open"
        assert forced.json()["forced"]["seconds_left"] == pytest.approx(60, abs=5)
        assert (await running.client.post("/api/orders", json=ORDER)).status_code == 503
        assert payments.requests == []
        released = await running.ops.delete(FORCE, headers=AUTHORIZED)
        assert (released.json()["state"], released.json()["forced"]) == ("half-open", None)
        assert (await running.client.post("/api/orders", json=ORDER)).status_code == 201
        report = (await running.ops.get("/dependencies/payments")).json()
        assert report["state"] == "closed"
        edges = [(one["from"], one["to"], one["forced"]) for one in report["transitions"]]
        assert edges[-1] == ("closed", "open", True)
        assert edges[0][:2] == ("half-open", "closed")
        assert report["window"]["refused"] == 1
        assert report["latency_ms"]["p50"] > 0
        assert report["active"] == 0


async def test_an_operator_holds_it_closed(tmp_path: Path, payments: Upstream) -> None:
    async with serving(tmp_path, payments) as running:
        body = {"state": "closed", "seconds": 60}
        await running.ops.post(FORCE, json=body, headers=AUTHORIZED)
        await trip(running, payments)
        await trip(running, payments)
        report = (await running.ops.get("/dependencies/payments")).json()
        assert report["state"] == "closed"
        assert report["window"]["failures"] == 4
        assert report["window"]["failure_ratio"] == 1


async def test_a_dependency_without_an_address_fails_when_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def without_sandboxes(*arguments: Any, **options: Any) -> Any:
        return await open_dependencies(*arguments, **{**options, "sandboxes": {}})

    monkeypatch.setattr(app, "open_dependencies", without_sandboxes)
    async with served(tmp_path) as running:
        assert (await running.client.get("/readyz")).status_code == 200
        assert (await running.client.post("/api/orders", json=ORDER)).status_code == 503
