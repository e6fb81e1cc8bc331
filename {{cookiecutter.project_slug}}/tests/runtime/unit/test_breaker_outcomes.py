"""What an outcome of a call counts for, and that each counts once."""

import asyncio
import random
import traceback
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from steadfast_service.runtime.outbound.breaker import (
    Breaker,
    CircuitOpen,
    State,
)

from ...support.breakers import (
    breaker_on,
    breaker_options,
    fail,
    half_open,
    status,
    succeed,
)
from ...support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("gone", [asyncio.CancelledError, GeneratorExit, KeyboardInterrupt])
def test_a_cancelled_call_is_neither_and_frees_its_slot(
    gone: type[BaseException], clock: Clock
) -> None:
    breaker = half_open(clock, trials=1)
    with pytest.raises(gone), breaker.calling():
        raise gone
    counts = breaker.counts()
    assert (counts.requests, counts.successes, counts.failures) == (1, 0, 0)
    assert status(breaker) == State.HALF_OPEN
    succeed(breaker)
    assert status(breaker) == State.CLOSED


async def test_our_deadline_is_neutral_and_a_timeout_inside_is_a_failure(clock: Clock) -> None:
    breaker = breaker_on(clock)

    async def hang() -> None:
        await asyncio.Event().wait()

    with suppress(TimeoutError):
        async with asyncio.timeout(0):
            with breaker.calling():
                await hang()
    assert breaker.counts().failures == 0
    with suppress(TimeoutError), breaker.calling():
        async with asyncio.timeout(0):
            await hang()
    assert breaker.counts().failures == 1


def test_an_excluded_outcome_is_neutral_and_frees_its_slot(clock: Clock) -> None:
    breaker = half_open(clock, trials=1)
    with breaker.calling() as call:
        call.excluded()
    with suppress(LookupError), breaker.calling() as call:
        call.excluded()
        raise LookupError
    counts = breaker.counts()
    assert (counts.requests, counts.exclusions, counts.successes, counts.failures) == (2, 2, 0, 0)
    assert status(breaker) == State.HALF_OPEN
    succeed(breaker)
    assert status(breaker) == State.CLOSED


@pytest.mark.parametrize("then", list(State))
@pytest.mark.parametrize("failed", [False, True])
def test_a_result_of_an_earlier_generation_changes_nothing(
    then: State, failed: bool, clock: Clock
) -> None:
    breaker = half_open(clock, trials=1, min_calls=1)
    with breaker.calling() as late:
        breaker.open()
        clock.advance(breaker.reset_timeout)
        if then is State.CLOSED:
            succeed(breaker)
        elif then is State.OPEN:
            fail(breaker)
        assert status(breaker) == then
        before = breaker.state, breaker.counts()
        if failed:
            late.failed()
    assert (breaker.state, breaker.counts()) == before


def test_an_exception_goes_on_as_it_was_and_is_counted(clock: Clock) -> None:
    breaker = breaker_on(clock, min_calls=1)
    error = ConnectionError("refused")

    def dial() -> None:
        raise error

    with pytest.raises(ConnectionError) as caught, breaker.calling():
        dial()
    assert caught.value is error
    assert error.__cause__ is error.__context__ is None
    frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert frames[-1] == "dial"
    assert status(breaker) == State.OPEN  # also the one that opens it


def test_saying_an_outcome_twice_counts_once(clock: Clock) -> None:
    breaker = breaker_on(clock, min_calls=100)
    with suppress(OSError), breaker.calling() as call:
        call.failed()
        call.failed()
        raise OSError("refused")
    call.failed()
    call.__exit__(None, None, None)
    counts = breaker.counts()
    assert (counts.requests, counts.failures, counts.successes) == (1, 1, 0)


def test_a_call_is_entered_once(clock: Clock) -> None:
    breaker = breaker_on(clock)
    call = breaker.calling()
    with call:
        pass
    with pytest.raises(RuntimeError, match="made once"), call:
        pytest.fail("it was let through")
    assert breaker.counts().requests == 1


def excluding(clock: Clock, *exclude: Any) -> Breaker:
    return Breaker(
        "payments",
        breaker_options(min_calls=1),
        trial_timeout=1.0,
        exclude=exclude,
        clock=clock,
    )


@pytest.mark.parametrize(
    "exclude",
    [KeyError, lambda error: isinstance(error, LookupError)],
)
def test_exceptions_can_be_excluded_by_type_or_test(exclude: Any, clock: Clock) -> None:
    breaker = excluding(clock, exclude)
    with suppress(KeyError), breaker.calling():
        raise KeyError
    assert (breaker.counts().exclusions, breaker.status) == (1, State.CLOSED)
    with suppress(OSError), breaker.calling():
        raise OSError
    assert status(breaker) == State.OPEN


def test_a_test_for_exclusion_that_fails_does_not_hide_the_error(clock: Clock) -> None:
    def broken(error: Exception) -> bool:
        raise RuntimeError("a mistake")

    breaker = excluding(clock, broken)
    with pytest.raises(OSError, match="refused"), breaker.calling():
        raise OSError("refused")
    assert status(breaker) == State.OPEN


def test_what_was_said_comes_before_the_exception(clock: Clock) -> None:
    breaker = breaker_on(clock)
    with suppress(asyncio.CancelledError), breaker.calling() as call:
        call.failed()  # it had answered with 503 when its body was given up
        raise asyncio.CancelledError
    assert breaker.counts().failures == 1


async def test_mixed_outcomes_of_ten_thousand_concurrent_calls_are_counted_exactly(
    clock: Clock,
) -> None:
    kinds = ["success", "failure", "error", "excluded", "cancelled"]
    chance = random.Random(4)

    async def call(breaker: Breaker, kind: str) -> None:
        with suppress(OSError), breaker.calling() as under_way:
            await asyncio.sleep(0)  # where some are cancelled
            if kind == "failure":
                under_way.failed()
            elif kind == "error":
                raise OSError
            elif kind == "excluded":
                under_way.excluded()

    for _ in range(10):
        breaker = breaker_on(clock, min_calls=20_000)
        chosen = chance.choices(kinds, k=10_000)
        tasks = [asyncio.create_task(call(breaker, kind)) for kind in chosen]
        await asyncio.sleep(0)
        assert breaker.counts().requests == 10_000
        for task, kind in zip(tasks, chosen, strict=True):
            if kind == "cancelled":
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        number, counts = Counter(chosen), breaker.counts()
        assert (counts.requests, counts.refused) == (10_000, 0)
        assert counts.successes == number["success"]
        assert counts.failures == number["failure"] + number["error"]
        assert counts.exclusions == number["excluded"]


async def test_of_a_thousand_concurrent_calls_in_half_open_three_go_through(clock: Clock) -> None:
    breaker, answered = half_open(clock, trials=3), asyncio.Event()
    made = 0

    async def call() -> None:
        nonlocal made
        with breaker.calling():
            made += 1
            await answered.wait()

    tasks = [asyncio.create_task(call()) for _ in range(1000)]
    await asyncio.sleep(0)
    answered.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert made == 3
    assert sum(isinstance(end, CircuitOpen) for end in ends) == 997
    assert status(breaker) == State.CLOSED
    assert breaker.counts().refused == 997
