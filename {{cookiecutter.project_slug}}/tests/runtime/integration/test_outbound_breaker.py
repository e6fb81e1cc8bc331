"""What the breaker of a dependency takes for a failure, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import Response

from steadfast_service.runtime.deadlines import DeadlineExceeded
from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.outbound.breaker import State

from ...support.breakers import status
from ...support.process import free_port, until
from ...support.upstream_server import Upstream, client_of, samples, upstream

QUICK = {"backoff": 0.001, "backoff_max": 0.001}
SENSITIVE = {"min_calls": 2, "open_for": 0.2, "trials": 1}


@pytest.fixture
async def shop() -> AsyncIterator[Upstream]:
    async with upstream() as it:
        yield it


@pytest.mark.parametrize("status", [429, 500, 502, 503, 599])
async def test_answers_that_are_failures_open_it(shop: Upstream, status: int) -> None:
    shop.always = Response(status_code=status)
    async with client_of(shop.url, breaker=SENSITIVE) as client:
        for _ in range(2):
            with pytest.raises(DependencyUnavailable, match=f"status {status}"):
                await client.request("POST", "/a")
        with pytest.raises(DependencyUnavailable, match="its circuit is open") as refused:
            await client.request("POST", "/a")
    assert refused.value.retry_after == 1
    assert len(shop.requests) == 2


@pytest.mark.parametrize("status", [200, 304, 400, 401, 404, 409, 422, 499])
async def test_answers_about_the_request_do_not(shop: Upstream, status: int) -> None:
    shop.always = Response(status_code=status)
    async with client_of(shop.url, breaker=SENSITIVE) as client:
        for _ in range(5):
            assert (await client.request("POST", "/a")).status_code == status
        assert client.pipeline.breaker.status is State.CLOSED


async def test_nobody_there_opens_it() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with client_of(url, breaker=SENSITIVE) as client:
        for words in ("Cannot connect", "Cannot connect", "circuit is open"):
            with pytest.raises(DependencyUnavailable, match=words):
                await client.request("POST", "/a")


async def test_no_answer_in_time_opens_it(shop: Upstream) -> None:
    shop.gate.clear()
    short: dict[str, Any] = {"attempt_timeout": 0.05, "connect_timeout": 0.05}
    async with client_of(shop.url, breaker=SENSITIVE, **short) as client:
        for _ in range(2):
            with pytest.raises(DeadlineExceeded):
                await client.request("POST", "/a")
        with pytest.raises(DependencyUnavailable, match="circuit is open"):
            await client.request("POST", "/a")


async def test_callers_that_hang_up_do_not(shop: Upstream) -> None:
    shop.gate.clear()
    async with client_of(shop.url, breaker=SENSITIVE) as client:
        calls = [asyncio.create_task(client.request("GET", "/a")) for _ in range(20)]
        await until(lambda: len(shop.requests) == 20)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert client.pipeline.breaker.status is State.CLOSED
        assert client.pipeline.breaker.ratio() == 0


async def test_it_comes_back_by_a_trial(shop: Upstream) -> None:
    shop.answers = [Response(status_code=500)] * 2
    async with client_of(shop.url, breaker=SENSITIVE) as client:
        for _ in range(2):
            await client.exchange("POST", "/a")
        breaker = client.pipeline.breaker
        assert status(breaker) == State.OPEN
        await until(lambda: status(breaker) != State.OPEN)
        assert (await client.request("POST", "/a")).text == "fine"
        assert status(breaker) == State.CLOSED


async def test_it_refuses_without_a_retry(shop: Upstream) -> None:
    shop.always = Response(status_code=503)
    metrics = Metrics()
    async with client_of(shop.url, metrics, retry=QUICK, breaker=SENSITIVE) as client:
        with pytest.raises(DependencyUnavailable, match="circuit is open"):
            await client.request("GET", "/a")
    assert len(shop.requests) == 2
    found = samples(metrics, "http_client_attempts_total")
    assert (found["shop", "5xx"], found["shop", "refused"]) == (2, 1)
