"""A breaker that its operators hold open or closed."""

import pytest

from steadfast_service.runtime.outbound.breaker import State

from ...support.breakers import (
    breaker_on,
    breaker_options,
    fail,
    refusal,
    status,
    succeed,
)
from ...support.clock import Clock

CLOSED, OPEN, HALF_OPEN = State.CLOSED, State.OPEN, State.HALF_OPEN


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_forced_open_refuses_until_it_ends_in_half_open(clock: Clock) -> None:
    breaker = breaker_on(clock, trials=1, open_for=1.0)
    breaker.force(OPEN, 600.0)
    clock.advance(599.0)
    seen = [breaker.forced]
    assert refusal(breaker).retry_after == 1.0
    clock.advance(1.0)
    seen.append(breaker.forced)
    assert seen == [(OPEN, 1.0), None]
    assert status(breaker) == HALF_OPEN
    succeed(breaker)
    assert status(breaker) == CLOSED
    assert [each.forced for each in breaker.transitions] == [True, False, False]


def test_forced_closed_lets_all_through_counts_and_decides_when_it_ends(clock: Clock) -> None:
    breaker = breaker_on(clock)
    breaker.open()
    breaker.force(CLOSED, 600.0)
    clock.advance(598.0)
    fail(breaker, 50)
    assert (status(breaker), breaker.forced) == (CLOSED, (CLOSED, 2.0))
    assert breaker.counts().failures == 50
    clock.advance(2.0)
    assert (status(breaker), breaker.forced) == (CLOSED, None)
    fail(breaker)
    assert status(breaker) == OPEN


def test_forcing_the_state_it_is_in_keeps_its_counts_and_tells_nobody(clock: Clock) -> None:
    breaker = breaker_on(clock)
    fail(breaker, 4)
    breaker.force(CLOSED, 60.0)
    assert breaker.counts().failures == 4
    assert not breaker.transitions
    fail(breaker)
    assert status(breaker) == CLOSED


def test_a_second_force_replaces_the_first(clock: Clock) -> None:
    breaker = breaker_on(clock)
    breaker.force(OPEN, 600.0)
    breaker.force(OPEN, 10.0)
    assert breaker.forced == (OPEN, 10.0)
    breaker.force(CLOSED, 20.0)
    assert breaker.forced == (CLOSED, 20.0)
    succeed(breaker)


def test_new_options_leave_a_forced_state_its_time(clock: Clock) -> None:
    breaker = breaker_on(clock)
    breaker.force(OPEN, 600.0)
    breaker.update(breaker_options(open_for=1.0))
    assert breaker.forced == (OPEN, 600.0)


@pytest.mark.parametrize(("state", "after"), [(OPEN, HALF_OPEN), (CLOSED, CLOSED)])
def test_a_release_ends_it_like_its_time(state: State, after: State, clock: Clock) -> None:
    breaker = breaker_on(clock)
    breaker.force(state, 600.0)
    breaker.release()
    assert (status(breaker), breaker.forced) == (after, None)


def test_a_release_of_what_is_not_forced_does_nothing(clock: Clock) -> None:
    breaker = breaker_on(clock)
    fail(breaker, 5)
    breaker.release()
    assert status(breaker) == OPEN


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_it_is_forced_for_some_time(seconds: float, clock: Clock) -> None:
    with pytest.raises(ValueError, match="seconds must be above 0"):
        breaker_on(clock).force(OPEN, seconds)


def test_half_open_cannot_be_forced(clock: Clock) -> None:
    with pytest.raises(ValueError, match="not half-open"):
        breaker_on(clock).force(HALF_OPEN, 1.0)
