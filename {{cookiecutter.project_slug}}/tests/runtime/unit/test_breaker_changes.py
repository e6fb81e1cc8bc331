"""A breaker that is watched, changed while it runs, and used as pybreaker's."""

import time
from itertools import pairwise
from typing import Any

import pybreaker
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
    refusal,
    status,
    succeed,
)
from ...support.clock import Clock
from ...support.records import record_logs

CLOSED, OPEN, HALF_OPEN = State.CLOSED, State.OPEN, State.HALF_OPEN
Edge = tuple[str, State, State]


@pytest.fixture
def clock() -> Clock:
    return Clock()


# Told of changes


def once_round(breaker: Breaker, clock: Clock) -> list[Edge]:
    """Take it over all four edges; what it must tell."""
    fail(breaker, 5)
    clock.advance(60.0)
    fail(breaker)
    clock.advance(60.0)
    succeed(breaker, 3)
    round_trip = [CLOSED, OPEN, HALF_OPEN, OPEN, HALF_OPEN, CLOSED]
    return [("payments", a, b) for a, b in pairwise(round_trip)]


def test_each_edge_is_told_once_in_order_with_the_state_in_place(clock: Clock) -> None:
    breaker = breaker_on(clock)
    told: list[Edge] = []

    def listen(name: str, before: State, after: State) -> None:
        assert status(breaker) == after
        told.append((name, before, after))

    breaker.on_change(listen)
    assert once_round(breaker, clock) == told
    assert [(each.before, each.after) for each in breaker.transitions] == [
        edge[1:] for edge in told
    ]


def test_a_callback_that_fails_is_logged_and_breaks_nothing(clock: Clock) -> None:
    _, records = record_logs()
    breaker = breaker_on(clock)
    told: list[Edge] = []

    def broken(*edge: object) -> None:
        raise RuntimeError("a mistake")

    breaker.on_change(broken)
    breaker.on_change(lambda *edge: told.append(edge))
    assert once_round(breaker, clock) == told
    failures = records.of("breaker listener failed")
    assert len(failures) == 5
    assert "a mistake" in failures[0]["exception"]


def test_a_callback_may_use_the_breaker_and_the_order_stays(clock: Clock) -> None:
    breaker = breaker_on(clock, min_calls=1)
    told: list[Edge] = []

    def close_again(name: str, before: State, after: State) -> None:
        if after is OPEN:
            refusal(breaker)
            breaker.close()

    breaker.on_change(close_again)
    breaker.on_change(lambda *edge: told.append(edge))
    fail(breaker)
    assert told == [("payments", CLOSED, OPEN), ("payments", OPEN, CLOSED)]
    assert status(breaker) == CLOSED


def test_only_the_last_changes_are_kept(clock: Clock) -> None:
    breaker, began = breaker_on(clock), time.time()
    for _ in range(100):
        breaker.open()
        breaker.close()
    assert len(breaker.transitions) == 20
    last = breaker.transitions[-1]
    assert last == (clock(), OPEN, CLOSED, False, last.time)
    assert began <= last.time <= time.time()


def test_opening_an_open_one_starts_its_time_again_and_tells_nobody(clock: Clock) -> None:
    breaker = breaker_on(clock, open_for=60.0)
    breaker.open()
    clock.advance(10.0)
    breaker.open()
    assert refusal(breaker).retry_after == 60.0
    assert len(breaker.transitions) == 1


# Changed while it runs


def test_a_new_threshold_decides_next_and_the_counts_survive(clock: Clock) -> None:
    breaker = breaker_on(clock, threshold=1.0, min_calls=100)
    fail(breaker, 9)
    succeed(breaker, 1)
    before = breaker.counts()
    breaker.update(breaker_options(threshold=0.5, min_calls=5))
    assert status(breaker) == CLOSED
    assert breaker.counts() == before
    fail(breaker)
    assert status(breaker) == OPEN


def test_the_time_that_it_stays_open_can_be_changed_while_it_is(clock: Clock) -> None:
    breaker = breaker_on(clock, open_for=60.0)
    breaker.open()
    clock.advance(10.0)
    breaker.update(breaker_options(open_for=30.0))
    assert refusal(breaker).retry_after == 20.0
    breaker.update(breaker_options(open_for=10.0))
    assert status(breaker) == HALF_OPEN


def test_a_call_under_way_counts_in_a_changed_window(clock: Clock) -> None:
    breaker = breaker_on(clock, min_calls=5)
    with breaker.calling() as call:
        fail(breaker, 4)
        clock.advance(1.5)
        breaker.update(breaker_options(window=60.0, buckets=7))
        call.failed()
    assert status(breaker) == OPEN


def test_impossible_new_options_change_nothing(clock: Clock) -> None:
    breaker = breaker_on(clock, min_calls=5)
    with pytest.raises(ValueError, match="min_calls"):
        breaker.update(breaker_options().model_copy(update={"threshold": 1.0, "min_calls": 0}))
    succeed(breaker, 2)
    fail(breaker, 3)
    assert status(breaker) == OPEN


# As pybreaker's


def test_pybreakers_own_names_tell_the_truth(clock: Clock) -> None:
    breaker = breaker_on(clock)
    heard: list[tuple[str, str]] = []

    class Listener(pybreaker.CircuitBreakerListener):
        def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:
            heard.append((old_state.name, cb.current_state))

    listener = Listener()
    breaker.add_listener(listener)
    assert breaker.listeners == (listener,)
    breaker.open()
    assert isinstance(breaker.state, pybreaker.CircuitOpenState)
    clock.advance(breaker.reset_timeout)
    assert breaker.current_state == breaker.state.name == pybreaker.STATE_HALF_OPEN
    assert breaker._state_storage.state == pybreaker.STATE_HALF_OPEN
    breaker.close()
    assert heard == [("closed", "open"), ("open", "half-open"), ("half-open", "closed")]
    with pytest.raises(ValueError, match="ajar"):
        breaker.state = "ajar"


async def test_its_ways_to_call_are_guarded_and_never_count_a_coroutine(clock: Clock) -> None:
    breaker = half_open(clock, trials=1)

    async def charge(amount: int) -> int:
        return amount

    for call in (breaker(charge), lambda amount: breaker.call(charge, amount)):
        with pytest.raises(TypeError, match="charge does not run it"):
            call(1)
    assert await breaker.call_async(charge, 2) == 2
    assert status(breaker) == CLOSED
    assert breaker(abs)(-3) == 3
    breaker.open()
    with pytest.raises(CircuitOpen):
        await breaker.call_async(charge, 2)
    with pytest.raises(pybreaker.CircuitBreakerError):
        breaker.call(abs, -3)
