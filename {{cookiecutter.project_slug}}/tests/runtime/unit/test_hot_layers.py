"""Load shedding and rate limits follow their settings while requests are served."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from steadfast_service.runtime.client_rates import (
    ClientRates,
    MemoryWindows,
)
from steadfast_service.runtime.concurrency_limit import (
    BURST,
    ConcurrencyLimit,
)
from steadfast_service.runtime.http.load_shedding import open_shedding
from steadfast_service.runtime.http.operations import OperationRouter
from steadfast_service.runtime.http.rate_limit import open_rate_limit
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.shutdown import Closing
from steadfast_service.settings import RateLimit, Shedding

from ...support.changing import Changing
from ...support.clock import Clock
from ...support.upstream_server import samples

# load shedding


def limit(**bounds: Any) -> ConcurrencyLimit:
    defaults = {"max_in_flight": 10, "min_in_flight": 1, "target_lag": 0}
    return ConcurrencyLimit(**defaults | bounds)


def changed(one: ConcurrencyLimit, **bounds: Any) -> tuple[int, float]:
    defaults = {"max_in_flight": 10, "min_in_flight": 1, "target_lag": 0, "reserve": False}
    one.update(**defaults | bounds)
    return one.ordinary, one.limit


def test_the_cap_and_the_reserve_follow() -> None:
    one = limit()
    begun = [one.enter() for _ in range(10)]
    assert changed(one, max_in_flight=4) == (4, 4)
    assert one.in_flight == 10  # nothing is cut short
    assert changed(one, max_in_flight=20, reserve=True) == (16, 20)
    assert changed(one, max_in_flight=20) == (20, 20)
    for instant in begun:
        one.leave(instant)
    assert one.in_flight == 0


def test_an_adaptive_limit_keeps_what_it_has_found_within_its_new_bounds() -> None:
    adaptive: dict[str, Any] = {"max_in_flight": 1000, "target_lag": 0.05}
    one = limit(**adaptive)
    assert one.limit == BURST
    assert changed(one, max_in_flight=1000, target_lag=0.1) == (BURST, BURST)
    assert changed(one, max_in_flight=1000, min_in_flight=100, target_lag=0.1) == (100, 100)
    assert changed(one, max_in_flight=30, min_in_flight=100, target_lag=0.1) == (30, 30)
    assert changed(one, **adaptive) == (30, 30)  # it grows by itself
    assert changed(one, max_in_flight=1000) == (1000, 1000)
    assert changed(one, **adaptive) == (1000, 1000)


@pytest.mark.parametrize("meanwhile", [0.0625, 1.0])
def test_switched_on_in_an_overload_it_learns_anew(meanwhile: float) -> None:
    clock, used = Clock(0.0), Clock(0.0)
    one = limit(max_in_flight=1000, target_lag=0.05, clock=clock, demand=used)

    def run(seconds: float, *, busy: float) -> None:
        for _ in range(20):
            begun = [one.enter() for _ in range(20)]
            clock.advance(seconds)
            used.advance(seconds * busy)
            for instant in begun:
                one.leave(instant)
            one.beat(0.0)

    run(0.0625, busy=0)
    changed(one, max_in_flight=1000)  # off, while work comes to take 16 times as long
    run(meanwhile, busy=0)
    changed(one, max_in_flight=1000, target_lag=0.05)
    run(1.0, busy=1)
    assert one.limit >= 20  # by what was usual once it would be 2


bounds = st.fixed_dictionaries(
    {
        "max_in_flight": st.integers(1, 100),
        "min_in_flight": st.integers(1, 100),
        "target_lag": st.sampled_from([0.0, 0.05]),
        "reserve": st.booleans(),
    }
)


@given(st.lists(st.tuples(bounds, st.floats(0, 1), st.integers(0, 50)), max_size=30))
def test_it_is_always_between_the_bounds_of_now(steps: list[tuple[Any, float, int]]) -> None:
    clock, used = Clock(), Clock(0.0)
    one = limit(clock=clock, demand=used)
    for chosen, lag, number in steps:
        begun = [one.enter() for _ in range(number)]
        one.update(**chosen)
        for _ in range(4):
            clock.advance(0.125)
            used.advance(0.125)
            one.beat(lag)
            most = chosen["max_in_flight"]
            assert min(chosen["min_in_flight"], most) <= one.limit <= most
            assert 1 <= one.ordinary <= one.limit
        for instant in begun:
            one.leave(instant)


class App:
    """The application inside: it answers when `gate` is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def ask(app: Any, path: str = "/a", *, client: str = "192.0.2.1", **headers: str) -> int:
    """The status of one request."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    pairs = [(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": pairs, "client": (client, 1)}
    await app(scope, receive, send)
    return int(sent[0]["status"])


@pytest.fixture
async def closing() -> AsyncIterator[Closing]:
    async with Closing(5) as it:
        yield it


async def test_critical_routes_and_limits_follow_while_requests_are_in_flight() -> None:
    settings = Changing(Shedding(max_in_flight=2, min_in_flight=1, target_lag=0))
    shedding = open_shedding(Metrics(), OperationRouter(), int, settings)
    inner = App()
    app = partial(shedding, exempt=())(inner)
    inner.gate.clear()
    running = [asyncio.create_task(ask(app)) for _ in range(2)]
    await asyncio.sleep(0)
    assert await ask(app) == 503
    settings.change(max_in_flight=5, critical_routes=("GET /vip/{id}", "GET /vip"))
    running += [asyncio.create_task(ask(app)) for _ in range(2)]
    await asyncio.sleep(0)
    assert await ask(app) == 503  # a fifth is for the critical
    running.append(asyncio.create_task(ask(app, "/vip/1")))
    await asyncio.sleep(0)
    assert await ask(app, "/vip/1") == 503
    settings.change(max_in_flight=6)
    running.append(asyncio.create_task(ask(app, "/vip")))
    await asyncio.sleep(0)
    settings.change(max_in_flight=8, critical_routes=("GET /other",))
    assert [await ask(app, path) for path in ("/vip", "/vip/1")] == [503, 503]
    running.append(asyncio.create_task(ask(app, "/other")))
    await asyncio.sleep(0)
    settings.change(critical_routes=(), max_in_flight=1)
    assert await ask(app, "/other") == 503
    inner.gate.set()
    assert await asyncio.gather(*running) == [200] * 7
    assert await ask(app) == 200


# rate limits


async def test_a_rate_limit_is_set_and_unset_while_the_layer_runs(closing: Closing) -> None:
    metrics, settings = Metrics(), Changing(RateLimit())
    app = open_rate_limit(closing, metrics, settings)(App(), exempt=("/livez",))
    assert [await ask(app) for _ in range(5)] == [200] * 5
    assert samples(metrics, "rate_limit_enforced") == {}
    settings.change(limit="2/hour")
    assert [await ask(app) for _ in range(3)] == [200, 200, 429]
    assert await ask(app, "/livez") == 200
    assert samples(metrics, "rate_limit_enforced") == {(): 1}
    # Those who are told apart otherwise are others.
    settings.change(key_header="X-Client")
    assert [await ask(app, **{"x-client": "a"}) for _ in range(3)] == [200, 200, 429]
    assert await ask(app) == 429
    # What was counted stays, whatever the amount is now.
    settings.change(key_header="", limit="3/hour")
    assert [await ask(app) for _ in range(2)] == [200, 429]
    settings.change(limit="")
    assert await ask(app) == 200
    assert samples(metrics, "rate_limit_enforced") == {}
    settings.change(limit="3/hour")
    assert await ask(app) == 429


async def test_what_is_no_rate_leaves_the_old_one() -> None:
    rates = ClientRates("1/hour", MemoryWindows(clock=Clock()))
    with pytest.raises(ValueError, match="no rate"):
        rates.update("1/century")
    assert [await rates.hit("a") is None for _ in range(2)] == [True, False]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60), st.floats(0, 100))
def test_the_wait_is_right_for_a_rate_that_was_lowered(
    before: int, after: int, window: int, start: float
) -> None:
    async def check() -> None:
        clock = Clock(1000.0 + start)
        rates = ClientRates(f"{before}/{window}seconds", MemoryWindows(clock=clock))
        for _ in range(before):
            await rates.hit("a")
        rates.update(f"{after}/{window}seconds")
        exceeded = await rates.hit("a")
        assert (exceeded is None) == (after > before)
        if exceeded is None:
            return
        assert (exceeded.amount, exceeded.window) == (after, window)
        now = clock.now
        if exceeded.seconds > 1:
            clock.now = now + exceeded.seconds - 1.001
            assert await rates.hit("a") is not None
        clock.now = now + exceeded.seconds
        assert await rates.hit("a") is None

    asyncio.run(check())
