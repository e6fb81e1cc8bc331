"""Refusing early what is too much."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from ...support.serving import Served, served

BOUND = 10.0
WAIT = "/api/lab/wait"


class Lab:
    """Requests that wait until they may end, and others that cost."""

    def __init__(self, running: Served) -> None:
        self.running = running
        self.started = asyncio.Semaphore(0)
        self.gate = asyncio.Event()
        self.calls: list[asyncio.Task[httpx.Response]] = []
        router = running.service.api.router
        router.add_api_route(WAIT, self.wait)
        router.add_api_route("/api/lab/work", self.work)

    async def wait(self) -> None:
        self.started.release()
        await self.gate.wait()

    async def work(self) -> None:
        """Two milliseconds of the loop's time, in two turns."""
        for _ in range(2):
            end = time.perf_counter() + 0.001
            while time.perf_counter() < end:
                pass
            await asyncio.sleep(0)

    async def fill(self, number: int) -> None:
        """So many more requests in flight."""
        self.calls += [asyncio.create_task(self.running.client.get(WAIT)) for _ in range(number)]
        async with asyncio.timeout(BOUND):
            for _ in range(number):
                await self.started.acquire()

    async def status(self, path: str = "/api/version") -> int:
        return (await self.running.client.get(path)).status_code


@asynccontextmanager
async def lab(folder: Path, **shedding: Any) -> AsyncIterator[Lab]:
    options = {"target_lag": 0} | shedding
    async with served(folder, shedding=options, log={"sample_rate": 0}) as running:
        it = Lab(running)
        yield it
        it.gate.set()
        await asyncio.gather(*it.calls, return_exceptions=True)


async def test_at_its_limit_the_service_refuses_early(tmp_path: Path) -> None:
    # Of ten, two are for critical routes.
    async with lab(tmp_path, max_in_flight=10) as it:
        await it.fill(8)
        response = await it.running.client.get("/api/version")
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json() == {
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "detail": "The service has more to do than it can.",
            "request_id": response.headers["x-request-id"],
        }
        for path in ("/livez", "/readyz"):
            assert await it.status(path) == 200
        assert (await it.running.ops.get("/livez")).status_code == 200
        it.calls[0].cancel()  # its caller gives up, and makes room
        async with asyncio.timeout(BOUND):
            while await it.status() == 503:
                await asyncio.sleep(0.01)
        it.gate.set()
        assert (await it.calls[1]).status_code == 200
        shed = await it.running.metric("http_server_requests_shed_total", reason="overload")
        assert shed >= 1
        assert await it.running.metric("http_server_in_flight_limit") == 10


async def test_critical_routes_are_refused_last(tmp_path: Path) -> None:
    critical = [f"GET {WAIT}", "GET /api/lab/{name}/details"]
    async with lab(tmp_path, max_in_flight=10, critical_routes=critical) as it:
        await it.fill(8)
        assert await it.status() == 503
        assert await it.status("/api/lab/1/details") == 404  # let through, and there is none
        await it.fill(2)
        assert await it.status(WAIT) == 503
        shed = await it.running.metric("http_server_requests_shed_total", reason="concurrency")
        assert shed == 1


async def test_an_order_is_critical_by_the_contract(tmp_path: Path) -> None:
    async with lab(tmp_path, max_in_flight=5) as it:
        await it.fill(4)
        assert await it.status("/api/orders") == 503
        assert (await it.running.client.post("/api/orders", json={})).status_code == 422


async def test_what_is_refused_does_not_flood_the_log(tmp_path: Path) -> None:
    async with lab(tmp_path, max_in_flight=1) as it:
        await it.fill(1)
        for _ in range(50):
            assert await it.status() == 503
        async with asyncio.timeout(BOUND):
            while not it.running.records.of("shedding load"):
                await asyncio.sleep(0.05)
        assert it.running.records.of("request") == []
        assert it.running.records.of("shedding load")[0]["refused"] > 0


async def test_a_busy_loop_lowers_the_limit(tmp_path: Path) -> None:
    async with lab(tmp_path, target_lag=0.05, min_in_flight=2) as it:
        limits = httpx.Limits(max_connections=None)
        url = it.running.client.base_url
        credentials = it.running.client.headers

        async def press(client: httpx.AsyncClient) -> list[int]:
            return [(await client.get("/api/lab/work")).status_code for _ in range(10)]

        async with httpx.AsyncClient(
            base_url=url, headers=credentials, limits=limits, timeout=30
        ) as client:
            found = await asyncio.gather(*(press(client) for _ in range(60)))
        statuses = [status for one in found for status in one]
        assert set(statuses) == {200, 503}
        assert await it.running.metric("http_server_in_flight_limit") < 64
        async with asyncio.timeout(BOUND):
            while await it.running.metric("http_server_in_flight_limit") < 64:
                await asyncio.sleep(0.1)
        assert await it.status() == 200
