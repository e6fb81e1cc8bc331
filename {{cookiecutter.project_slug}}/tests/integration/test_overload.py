"""Faults on purpose, and refusing early what is too much."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ..support.serving import ORDER, Served, served

BOUND = 5.0
MARK = "x-injected-fault"


@asynccontextmanager
async def faulty(factory: pytest.TempPathFactory, **faults: object) -> AsyncIterator[Served]:
    async with served(factory.mktemp("faults"), faults=faults) as running:
        yield running


async def test_without_a_percentage_nothing_is_injected(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with faulty(tmp_path_factory, abort_status=503, delay=10) as running:
        async with asyncio.timeout(BOUND):
            response = await running.client.get("/api/version")
        assert response.status_code == 200
        assert MARK not in response.headers


async def test_an_abort_is_marked_and_logged(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with faulty(tmp_path_factory, percentage=100, abort_status=503) as running:
        response = await running.client.get("/api/version")
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["request_id"] == response.headers["x-request-id"]
        assert response.headers[MARK] == "delay=0;abort=503"
        assert running.records.of("fault injected")


async def test_other_paths_are_left_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    faults = {"percentage": 100, "abort_status": 503, "path_prefix": "/api/orders"}
    async with faulty(tmp_path_factory, **faults) as running:
        for path in ("/api/version", "/livez", "/readyz", "/docs"):
            response = await running.client.get(path)
            assert response.status_code == 200
            assert MARK not in response.headers
        assert (await running.client.get("/api/orders")).status_code == 503


async def test_a_delayed_request_is_served_whole(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with faulty(tmp_path_factory, percentage=100, delay=0.2) as running:
        response = await running.client.post("/api/orders", json=ORDER)
        assert response.status_code == 201
        assert response.headers[MARK] == "delay=0.2;abort=0"
        assert response.elapsed.total_seconds() >= 0.2


async def test_a_delay_counts_against_the_deadline(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with faulty(tmp_path_factory, percentage=100, delay=60) as running:
        header = {"X-Request-Timeout-Ms": "100"}
        async with asyncio.timeout(BOUND):
            response = await running.client.get("/api/version", headers=header)
        assert response.status_code == 504


async def test_a_percentage_is_a_share(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with faulty(tmp_path_factory, percentage=50, abort_status=500) as running:
        answers = [(await running.client.get("/api/version")).status_code for _ in range(200)]
        # Outside of these once in 10^12 runs.
        assert 50 < answers.count(500) < 150
        assert answers.count(200) + answers.count(500) == 200


async def test_at_its_limit_the_service_refuses_early(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    started, gate = asyncio.Semaphore(0), asyncio.Event()

    async def wait() -> None:
        started.release()
        await gate.wait()

    async with served(tmp_path_factory.mktemp("shedding"), http={"max_in_flight": 2}) as running:
        running.service.api.router.add_api_route("/api/lab/wait", wait)
        waiting = [asyncio.ensure_future(running.client.get("/api/lab/wait")) for _ in range(2)]
        async with asyncio.timeout(BOUND):
            for _ in waiting:
                await started.acquire()
            response = await running.client.get("/api/version")
            assert response.status_code == 503
            assert response.headers["retry-after"] == "1"
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["request_id"] == response.headers["x-request-id"]
            for path in ("/livez", "/readyz"):
                assert (await running.client.get(path)).status_code == 200
            waiting[0].cancel()  # its caller gives up, and makes room
            while (await running.client.get("/api/version")).status_code == 503:
                await asyncio.sleep(0.01)
            gate.set()
            assert (await waiting[1]).status_code == 200
        shed = await running.metric("http_server_requests_shed_total", reason="concurrency")
        assert shed >= 1
