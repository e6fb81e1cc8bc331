"""The layer that is slow is the one that is named, and nobody notices that it was measured."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from steadfast_service.runtime.http.layer_costs import (
    REQUESTS,
    LayerCosts,
    layers_of,
)

from ...support.layers import (
    SLOW,
    Passing,
    Plain,
    Slotted,
    SlowAfter,
    SlowBefore,
    SlowReceiving,
    SlowSending,
    answer,
    call,
    chain,
    stream,
)

BOUND = 10.0  # seconds; far above what a busy machine needs


def original(costs: LayerCosts) -> Callable[[], bool]:
    """Whether the chain is again what it is now."""
    before = [(one, type(one), getattr(one, "app", None)) for one in costs.layers]
    return lambda: all(
        type(one) is kind and getattr(one, "app", None) is app for one, kind, app in before
    )


def slowest(costs: LayerCosts) -> str:
    medians = [cost.median if cost is not None else 0.0 for cost in costs.costs()]
    return type(costs.layers[medians.index(max(medians))]).__name__


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(
    ("slow", "inside"),
    [
        (SlowBefore, answer),
        (SlowAfter, answer),
        (SlowSending, answer),
        (SlowReceiving, answer),
        (SlowBefore, stream),
        (SlowAfter, stream),
        (SlowSending, stream),
    ],
)
async def test_the_slow_layer_is_the_one_that_is_named(
    slow: type[Plain], place: int, inside: ASGIApp
) -> None:
    kinds: list[type[Plain]] = [Plain, Passing, Plain]
    kinds.insert(place, slow)
    costs = LayerCosts(app := chain(inside, *kinds), exempt=())
    is_original = original(costs)
    costs.put_in()
    for _ in range(5):
        await call(app)
    costs.take_out()
    assert is_original()
    assert costs.samples == 5
    cost = costs.costs()[place]
    assert cost is not None
    assert slowest(costs) == slow.__name__
    assert cost.median >= SLOW
    assert cost.share > 0.5
    assert cost.p95 >= cost.median


async def test_a_round_ends_by_itself_and_the_next_one_pauses() -> None:
    costs = LayerCosts(app := chain(answer, Plain, Passing, Plain), exempt=("/livez",))
    is_original = original(costs)
    running = asyncio.create_task(costs.run())
    async with asyncio.timeout(BOUND):
        while is_original():
            await asyncio.sleep(0)
    for _ in range(3):
        await call(app, "/livez")
    assert costs.samples == 0
    for _ in range(REQUESTS):
        await call(app)
    async with asyncio.timeout(BOUND):
        while not is_original():
            await asyncio.sleep(0)
    for _ in range(REQUESTS):
        await call(app)
    assert costs.samples == REQUESTS
    running.cancel()


async def test_what_is_under_way_passes_both_when_it_begins_and_when_it_ends() -> None:
    gate = asyncio.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.wait()
        await answer(scope, receive, send)

    class Waiting(Plain):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await gate.wait()
            await self.app(scope, receive, send)

    costs = LayerCosts(app := chain(wait, Plain, Waiting, Plain), exempt=())
    before = asyncio.create_task(call(app))
    await asyncio.sleep(0)
    costs.put_in()
    during = asyncio.create_task(call(app))
    await asyncio.sleep(0)
    costs.take_out()
    after = asyncio.create_task(call(app))
    await asyncio.sleep(0)
    gate.set()
    whole = ["http.response.start", "http.response.body"]
    for sent in await asyncio.gather(before, during, after):
        assert [message["type"] for message in sent] == whole
    assert costs.samples == 0  # it may have missed a probe


async def test_what_outlives_its_round_does_not_count_in_the_next() -> None:
    gate = asyncio.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/waits":
            await gate.wait()
        await answer(scope, receive, send)

    costs = LayerCosts(app := chain(wait, Plain, Plain), exempt=())
    costs.put_in()
    old = asyncio.create_task(call(app, "/waits"))
    await asyncio.sleep(0)
    costs.take_out()
    costs.put_in()
    await call(app)
    gate.set()
    await old
    assert costs.samples == 1
    costs.take_out()


async def test_exceptions_and_cancellations_pass() -> None:
    begun = asyncio.Event()

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("planted")

    async def hang(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.Event().wait()

    for inside in (fail, hang):
        costs = LayerCosts(app := chain(inside, Plain, Passing, Plain), exempt=())
        is_original = original(costs)
        costs.put_in()
        task = asyncio.create_task(call(app))
        if inside is hang:
            await begun.wait()
            task.cancel()
        with pytest.raises((LookupError, asyncio.CancelledError)) as caught:
            await task
        assert (caught.type is LookupError) == (inside is fail)
        costs.take_out()
        assert is_original()
        assert costs.samples == 0


async def test_a_layer_that_refuses_says_nothing_of_those_behind_it() -> None:
    class Refusing(Plain):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await answer(scope, receive, send)

    costs = LayerCosts(app := chain(answer, Plain, Refusing, Plain), exempt=())
    costs.put_in()
    await call(app)
    costs.take_out()
    known = [cost is not None for cost in costs.costs()]
    assert known == [True, True, False, False]


async def test_it_ends_with_its_task_whenever_that_is() -> None:
    costs = LayerCosts(chain(answer, Plain, Plain), exempt=())
    is_original = original(costs)
    running = asyncio.create_task(costs.run())
    async with asyncio.timeout(BOUND):
        while is_original():
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert is_original()


@pytest.mark.parametrize("kinds", [(), (Slotted,), (Slotted, Plain)])
async def test_what_cannot_be_measured_is_served_all_the_same(kinds: tuple[Any, ...]) -> None:
    costs = LayerCosts(app := chain(answer, *kinds), exempt=())
    running = asyncio.create_task(costs.run())
    await asyncio.sleep(0)
    assert len(await call(app)) == 2
    running.cancel()
    await asyncio.wait({running})


async def test_what_somebody_else_has_put_in_meanwhile_stays() -> None:
    costs = LayerCosts(app := chain(answer, Plain, Plain), exempt=())
    costs.put_in()
    assert [type(one) for one in layers_of(app)[1:]] == [Plain, type(answer)]
    costs.layers[0].app = stream
    costs.take_out()
    assert costs.layers[0].app is stream
    assert costs.layers[1].app is answer
