"""One dependency's pipeline, stage by stage, over real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import Response

from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.deadlines import DeadlineExceeded, apply
from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.outbound.pipeline import TooManyCalls

from ...support.process import free_port, until
from ...support.upstream_server import Upstream, client_of, samples, upstream

KEY = {"Idempotency-Key": "k"}
QUICK = {"backoff": 0.001, "backoff_max": 0.001}


@pytest.fixture
async def shop() -> AsyncIterator[Upstream]:
    async with upstream() as it:
        yield it


# 1. the cap


async def test_a_call_beyond_the_cap_is_refused_at_once(shop: Upstream) -> None:
    metrics = Metrics()
    shop.gate.clear()
    async with client_of(shop.url, metrics, max_concurrent=2, breaker={"trials": 2}) as client:
        calls = [asyncio.create_task(client.request("GET", "/a")) for _ in range(2)]
        await until(lambda: len(shop.requests) == 2)
        with pytest.raises(TooManyCalls, match="2 calls are under way"):
            await client.request("GET", "/a")
        assert client.pipeline.active == 2
        shop.gate.set()
        await asyncio.gather(*calls)
        assert (await client.request("GET", "/a")).status_code == 200
    assert client.pipeline.active == 0
    found = samples(metrics, "http_client_request_duration_seconds_count")
    assert found["shop", "GET /a", "capped"] == 1
    assert found["shop", "GET /a", "2xx"] == 3


# 2. the total time


async def test_a_call_ends_within_the_time_of_its_request(shop: Upstream) -> None:
    shop.gate.clear()
    state = RequestState(time.monotonic(), "a" * 32, "r")
    apply(state, 0.2)
    token = current.set(state)
    try:
        async with client_of(shop.url) as client:
            with pytest.raises(DeadlineExceeded, match="shop ran out of time"):
                await client.request("GET", "/a")
            assert time.monotonic() < state.deadline
            # The end of our own request says nothing about the dependency.
            counts = client.pipeline.breaker.counts()
            assert (counts.failures, counts.successes) == (0, 0)
    finally:
        current.reset(token)


async def test_all_attempts_together_end_within_the_timeout(shop: Upstream) -> None:
    shop.gate.clear()
    async with client_of(
        shop.url, timeout=0.4, attempt_timeout=0.15, connect_timeout=0.15, retry=QUICK
    ) as client:
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await client.request("GET", "/a")
        # An event loop's timers may be early by their resolution, 1 ms in uvloop.
        assert 0.399 <= time.monotonic() - began < 1
        assert len(shop.requests) == 3


# 3. retries


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_an_idempotent_call_is_repeated(shop: Upstream, status: int) -> None:
    shop.answers = [Response(status_code=status)] * 2
    async with client_of(shop.url, retry=QUICK) as client:
        assert (await client.request("GET", "/a")).text == "fine"
        assert (await client.request("POST", "/a", headers=KEY, json=1)).text == "fine"
    assert len(shop.requests) == 4
    assert shop.answers == []


async def test_a_repeated_call_has_its_body_and_its_key_again(shop: Upstream) -> None:
    shop.answers = [Response(status_code=503)]
    async with client_of(shop.url, retry=QUICK) as client:
        await client.request("POST", "/a", headers=KEY, json={"n": 1})
    first, second = shop.requests
    assert await first.json() == await second.json() == {"n": 1}
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "k"


@pytest.mark.parametrize("status", [400, 404, 409, 500, 501])
async def test_what_would_be_the_same_again_is_not_repeated(shop: Upstream, status: int) -> None:
    shop.answers = [Response(status_code=status)]
    async with client_of(shop.url, retry=QUICK) as client:
        assert (await client.exchange("GET", "/a")).status_code == status
    assert len(shop.requests) == 1


async def test_what_may_not_be_done_twice_is_not_repeated(shop: Upstream) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"once"

    shop.answers = [Response(status_code=503)] * 2
    async with client_of(shop.url, retry=QUICK) as client:
        assert (await client.exchange("POST", "/a", json=1)).status_code == 503
        # Its body is gone after the first time.
        sent = await client.exchange("PUT", "/a", content=body())
        assert sent.status_code == 503
    assert len(shop.requests) == 2


async def test_retry_after_is_waited_for(shop: Upstream) -> None:
    shop.answers = [Response(status_code=503, headers={"Retry-After": "1"})]
    async with client_of(shop.url, retry=QUICK) as client:
        began = time.monotonic()
        assert (await client.request("GET", "/a")).text == "fine"
        assert 1 <= time.monotonic() - began < 2


async def test_a_wait_that_is_too_long_is_told_to_the_caller(shop: Upstream) -> None:
    shop.answers = [Response(status_code=503, headers={"Retry-After": "9"})]
    async with client_of(shop.url, retry=QUICK) as client:
        with pytest.raises(DependencyUnavailable) as failed:
            await client.request("GET", "/a")
    assert failed.value.retry_after == 9
    assert len(shop.requests) == 1


async def test_an_outage_is_not_multiplied(shop: Upstream) -> None:
    shop.always = Response(status_code=503)
    breaker = {"min_calls": 1000}
    async with client_of(shop.url, retry=QUICK, breaker=breaker) as client:
        for _ in range(100):
            with pytest.raises(DependencyUnavailable, match="status 503"):
                await client.request("GET", "/a")
    assert 100 < len(shop.requests) <= 100 + 10 + 10


async def test_nobody_there_is_tried_again_and_then_said() -> None:
    metrics = Metrics()
    url = f"http://127.0.0.1:{free_port()}"
    async with client_of(url, metrics, retry=QUICK) as client:
        with pytest.raises(DependencyUnavailable, match="shop: Cannot connect"):
            await client.request("GET", "/a")
    assert samples(metrics, "http_client_attempts_total")["shop", "error"] == 3


async def test_cancelled_between_attempts_it_stops(shop: Upstream) -> None:
    shop.always = Response(status_code=503)
    slow = {"backoff": 1000, "backoff_max": 1000}
    async with client_of(shop.url, timeout=3600, retry=slow) as client:
        call = asyncio.create_task(client.request("GET", "/a"))
        await until(lambda: client.pipeline.retries.tokens < 10)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert client.pipeline.active == 0


# what a caller gets


async def test_the_answer_is_httpx_and_redirects_are_its_own(shop: Upstream) -> None:
    shop.answers = [Response(status_code=307, headers={"Location": "/elsewhere"})]
    async with client_of(shop.url + "/base/") as client:
        response = await client.request("GET", "/a/{id}", values={"id": "x/y"}, params={"q": "1 2"})
    assert isinstance(response, httpx.Response)
    assert response.status_code == 307
    assert str(response.request.url) == f"{shop.url}/base/a/x%2Fy?q=1+2"
    assert shop.requests[0].url.query == "q=1+2"


async def test_it_is_counted_by_the_template_of_its_path(shop: Upstream) -> None:
    metrics = Metrics()
    async with client_of(shop.url, metrics) as client:
        for number in range(3):
            await client.request("GET", "/a/{id}", values={"id": str(number)})
    found = samples(metrics, "http_client_request_duration_seconds_count")
    assert found == {("shop", "GET /a/{id}", "2xx"): 3}
