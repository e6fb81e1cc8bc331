"""What happens on the connection reaches the handler, and the other way round."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from fastapi import Request

from steadfast_service.runtime.context import current

from ...support.serving import Served, served

BOUND = 5.0


class Lab:
    """Endpoints that say what they have seen."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.go_on = asyncio.Event()

    async def wait(self) -> None:
        self.started.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def upload(self, request: Request) -> str:
        parts = request.stream()
        body = await anext(parts)
        self.started.set()
        await self.go_on.wait()
        async for part in parts:
            body += part
        return body.decode()

    async def late(self, request: Request) -> str:
        await asyncio.sleep(0.2)  # the watchdog listens before anybody reads
        return (await request.body()).decode()

    def thread(self) -> tuple[str, bool]:
        state = current.get()
        assert state is not None
        return state.request_id, threading.current_thread() is threading.main_thread()


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
async def running(tmp_path_factory: pytest.TempPathFactory, lab: Lab) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("connections")) as it:
        add = it.service.api.router.add_api_route
        add("/api/lab/wait", lab.wait)
        add("/api/lab/upload", lab.upload, methods=["POST"])
        add("/api/lab/late", lab.late, methods=["POST"])
        add("/api/lab/thread", lab.thread)
        yield it


async def test_a_caller_that_hangs_up_ends_the_work(running: Served, lab: Lab) -> None:
    _, writer = await asyncio.open_connection(*running.address)
    writer.write(b"GET /api/lab/wait HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(BOUND):
        await lab.started.wait()
        assert await running.metric("http_server_active_requests") == 1
        writer.close()
        await lab.cancelled.wait()
        while await running.metric("http_server_active_requests"):
            await asyncio.sleep(0.01)
    counted = {"route": "/api/lab/wait", "status": "499"}
    assert await running.metric("http_server_request_duration_seconds_count", **counted) == 1
    assert await running.metric("deadline_exceeded_total") == 0
    [record] = running.records.of("request")
    assert record["status"] == 499
    assert record["level"] == "info"


async def test_a_slow_upload_arrives_whole(running: Served, lab: Lab) -> None:
    reader, writer = await asyncio.open_connection(*running.address)
    head = b"POST /api/lab/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
    writer.write(head + b"Connection: close\r\n\r\none")
    async with asyncio.timeout(BOUND):
        await lab.started.wait()
        await asyncio.sleep(0.2)  # long enough for the watchdog to listen
        writer.write(b"two")
        await asyncio.sleep(0.05)  # a part of its own, and the watchdog gets it
        lab.go_on.set()
        writer.write(b"333")
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'"onetwo333"')
    writer.close()


async def test_a_body_that_is_read_late_is_still_there(running: Served) -> None:
    async with asyncio.timeout(BOUND):
        response = await running.client.post("/api/lab/late", content=b"all of it")
    assert response.json() == "all of it"


async def test_a_blocking_endpoint_runs_in_a_thread_with_the_request_s_context(
    running: Served,
) -> None:
    response = await running.client.get("/api/lab/thread")
    assert response.json() == [response.headers["x-request-id"], False]


async def test_kept_connections_serve_many_requests(running: Served) -> None:
    reader, writer = await asyncio.open_connection(*running.address)
    ids = set()
    async with asyncio.timeout(BOUND):
        for _ in range(3):
            writer.write(b"GET /api/version HTTP/1.1\r\nHost: x\r\n\r\n")
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
            await reader.readexactly(int(fields["content-length"]))
            ids.add(fields["x-request-id"])
    assert len(ids) == 3
    writer.close()
