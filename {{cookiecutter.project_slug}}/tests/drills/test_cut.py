"""What is in flight when the signal comes is finished, and what is cut is said."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from steadfast_service.app import Service, open_service
from steadfast_service.runtime.http.server import (
    Endpoint,
    ServerOptions,
    run,
)

from ..support.held_payments import HeldPayments, held_payments
from ..support.process import Process, free_port, serving, until
from ..support.records import record_logs
from ..support.serving import ORDER, config_for

# So long that nothing but a signal can end a request during a test.
PATIENT = {
    "DEPENDENCIES__PAYMENTS__TIMEOUT": "300",
    "HTTP__REQUEST_TIMEOUT": "300",
    "HTTP__GRACE": "300",
}


@pytest.fixture
async def payments() -> AsyncIterator[HeldPayments]:
    async with held_payments() as it:
        yield it


@pytest.fixture
def process(tmp_path: Path, payments: HeldPayments) -> Iterator[Process]:
    with serving(tmp_path, DEPENDENCIES__PAYMENTS__URL=payments.url, **PATIENT) as it:
        yield it


async def in_flight(
    process: Process, payments: HeldPayments, count: int
) -> list["asyncio.Task[httpx.Response]"]:
    """Requests that wait for their payment."""

    async def place() -> httpx.Response:
        async with process.client(timeout=300) as client:
            return await client.post("/api/orders", json=ORDER)

    requests = [asyncio.create_task(place()) for _ in range(count)]
    await until(lambda: payments.calls == count)
    return requests


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_requests_in_flight_are_finished(
    process: Process, payments: HeldPayments, number: int
) -> None:
    requests = await in_flight(process, payments, 3)
    process.signal(number)

    async with process.client() as client:
        with pytest.raises(httpx.TransportError):  # noqa: PT012 - until the listener has gone
            async with asyncio.timeout(30):
                while True:
                    await client.get("/livez", headers={"Connection": "close"})
    assert not any(request.done() for request in requests)

    payments.release.set()
    assert [(await request).status_code for request in requests] == [201] * 3
    assert await process.ended() == 0
    assert process.of("stopped")[0]["cut"] == 0


async def test_a_second_signal_ends_at_once_and_says_what_was_cut(
    process: Process, payments: HeldPayments
) -> None:
    requests = await in_flight(process, payments, 3)
    process.signal()
    await until(lambda: bool(process.of("draining")))
    began = time.monotonic()
    process.signal()
    for response in await asyncio.gather(*requests):
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["request_id"] == response.headers["x-request-id"]
    assert await process.ended() == 1
    assert time.monotonic() - began < 5
    cut = process.of("requests cut")
    assert [(c["requests"], c["reason"]) for c in cut] == [(3, "second signal")]
    assert process.errors() == ""


@pytest.mark.usefixtures("signals_restored")
async def test_the_end_of_the_grace_cuts_what_is_left(tmp_path: Path) -> None:
    # The grace covers every request but those of a route with a longer limit of its own.
    config = config_for(tmp_path)
    pipeline, records = record_logs()
    entered = asyncio.Event()

    async def hang() -> None:
        entered.set()
        await asyncio.Event().wait()

    @asynccontextmanager
    async def with_hanging_route() -> AsyncIterator[Service]:
        async with open_service(config, pipeline) as service:
            service.api.router.add_api_route("/api/hang", hang, openapi_extra={"x-deadline": 300})
            yield service

    front, back = (Endpoint("127.0.0.1", free_port(), "X") for _ in range(2))
    options = ServerOptions(front, back, drain_delay=0, grace=0.3, keep_alive=75)
    running = asyncio.create_task(run(with_hanging_route, options))
    await until(lambda: bool(records.of("serving")))
    async with httpx.AsyncClient(base_url=front.url, timeout=300) as client:
        request = asyncio.create_task(client.get("/api/hang"))
        await entered.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        response = await request
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert await running == 1
    cut = records.of("requests cut")
    assert [(c["requests"], c["reason"]) for c in cut] == [(1, "grace ran out")]
