"""A dependency's options change while calls are made: the next call has them, and no other."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracer
from starlette.responses import Response

from steadfast_service.runtime.config.groups import Group
from steadfast_service.runtime.context import RequestState, current
from steadfast_service.runtime.deadlines import DeadlineExceeded, apply
from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.health import Health
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.outbound.breaker import State
from steadfast_service.runtime.outbound.dependencies import (
    open_dependencies,
)
from steadfast_service.runtime.outbound.options import Dependency
from steadfast_service.runtime.outbound.pipeline import TooManyCalls
from steadfast_service.runtime.shutdown import Closing

from ...support.changing import Changing
from ...support.process import until
from ...support.upstream_server import (
    PATIENT,
    Upstream,
    calls_of,
    client_of,
    options,
    upstream,
)

QUICK: dict[str, Any] = {"backoff": 0.001, "backoff_max": 0.001}
SHORT: dict[str, Any] = {"attempt_timeout": 0.1, "connect_timeout": 0.1}


@pytest.fixture
async def shop() -> AsyncIterator[Upstream]:
    async with upstream() as it:
        yield it


# time


async def test_a_shorter_time_is_that_of_the_next_call(shop: Upstream) -> None:
    shop.gate.clear()
    async with client_of(shop.url, **PATIENT) as client:
        [before] = calls_of(client, 1)
        await until(lambda: shop.active == 1)
        client.update(options(**SHORT, timeout=0.2, retry={"attempts": 1}))
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await client.request("GET", "/a")
        assert time.monotonic() - began < 5
        shop.gate.set()
        assert (await before).status_code == 200


async def test_a_longer_time_too_and_not_that_of_a_call_under_way(shop: Upstream) -> None:
    shop.gate.clear()
    async with client_of(shop.url, **SHORT, timeout=0.3, retry=QUICK) as client:
        [before] = calls_of(client, 1)
        await until(lambda: shop.active == 1)
        client.update(options(**PATIENT, retry={"attempts": 1}))
        with pytest.raises(DeadlineExceeded):
            await before
        assert len(shop.requests) == 3  # with the retries that it began with
        [after] = calls_of(client, 1)
        await until(lambda: len(shop.requests) == 4)
        await asyncio.sleep(0.5)  # what is tested is that this is not too long
        shop.gate.set()
        assert (await after).status_code == 200


async def test_the_share_of_the_deadline(shop: Upstream) -> None:
    shop.gate.clear()
    state = RequestState(time.monotonic(), "a" * 32, "r")
    apply(state, 10)
    token = current.set(state)
    try:
        async with client_of(shop.url, **PATIENT) as client:
            client.update(options(**PATIENT, deadline_share=0.01))
            with pytest.raises(DeadlineExceeded):
                await client.request("GET", "/a")
            assert time.monotonic() < state.begun + 5
    finally:
        current.reset(token)


# what is counted


async def test_a_lower_threshold_opens_on_what_was_counted(shop: Upstream) -> None:
    shop.answers = [Response(status_code=500), Response("fine")] * 5
    async with client_of(shop.url, retry=QUICK) as client:
        for _ in range(10):
            await client.exchange("GET", "/a")
        assert client.pipeline.breaker.status is State.CLOSED
        client.update(options(breaker={"threshold": 0.5, "min_calls": 5}))
        shop.answers = [Response(status_code=500)]
        await client.exchange("GET", "/a")
        with pytest.raises(DependencyUnavailable, match="its circuit is open"):
            await client.request("GET", "/a")
        assert client.report()["window"]["opens_at"] == 0.5


async def test_retries(shop: Upstream) -> None:
    shop.always = Response(status_code=503)
    async with client_of(shop.url, retry=QUICK) as client:
        await client.exchange("GET", "/a")
        assert (len(shop.requests), client.pipeline.retries.tokens) == (3, 8)
        client.update(options(retry={**QUICK, "attempts": 1}))
        await client.exchange("GET", "/a")
        assert len(shop.requests) == 4
        assert client.pipeline.retries.tokens == pytest.approx(8.1)


async def test_a_higher_cap_lets_more_through_at_once(shop: Upstream) -> None:
    shop.gate.clear()
    few: dict[str, Any] = {"max_concurrent": 2, "breaker": {"trials": 2}}
    async with client_of(shop.url, **few) as client:
        calls = calls_of(client, 2)
        await until(lambda: shop.active == 2)
        with pytest.raises(TooManyCalls):
            await client.request("GET", "/a")
        client.update(options(max_concurrent=3))
        calls += calls_of(client, 1)
        await until(lambda: shop.active == 3)
        client.update(options(**few))
        with pytest.raises(TooManyCalls, match="3 calls are under way"):
            await client.request("GET", "/a")
        shop.gate.set()
        assert [one.status_code for one in await asyncio.gather(*calls)] == [200] * 3


async def test_the_size_of_an_answer(shop: Upstream) -> None:
    shop.always = Response(b"x" * 1000)
    async with client_of(shop.url) as client:
        shop.gate.clear()
        [before] = calls_of(client, 1)
        await until(lambda: shop.active == 1)
        client.update(options(max_answer_bytes=999))
        shop.gate.set()
        assert len((await before).content) == 1000
        with pytest.raises(DependencyUnavailable, match="more than 999 bytes"):
            await client.request("GET", "/a")


# all of them


class Shops(Group):
    """The settings of two dependencies."""

    shop: Dependency
    mail: Dependency = Dependency()


async def test_every_dependency_follows_its_settings_and_keeps_its_place(shop: Upstream) -> None:
    settings = Changing(Shops(shop=options(url=shop.url)))
    async with Closing(5) as closing:
        clients = await open_dependencies(
            settings,
            sandboxes={"mail": shop},
            closing=closing,
            health=Health(),
            metrics=Metrics(),
            tracer=NoOpTracer(),
        )
        cold = {"url": "http://127.0.0.1:1", "critical": True, "http2": True, "tls_timeout": 1.0}
        settings.change(shop=options(**cold, timeout=1.5), mail=options(max_concurrent=150))
        held = clients["shop"].pipeline.options
        assert held == options(url=shop.url, timeout=1.5)
        assert clients["mail"].pipeline.options.max_concurrent == 150
        for client in clients.values():
            assert (await client.request("GET", "/a")).status_code == 200
