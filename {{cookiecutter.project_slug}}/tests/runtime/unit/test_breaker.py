"""The circuit breaker's states: what is refused, what opens it, and how it comes back."""

from types import SimpleNamespace
from typing import Any

import pytest

from steadfast_service.runtime.outbound.breaker import Breaker, State
from steadfast_service.runtime.outbound.options import BreakerOptions

from ...support.breakers import (
    OPTIONS,
    TRIAL_TIMEOUT,
    breaker_on,
    breaker_options,
    fail,
    half_open,
    refusal,
    status,
    succeed,
)
from ...support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


# Construction


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 0.0),
        ("threshold", -0.1),
        ("threshold", 1.1),
        ("threshold", float("nan")),
        ("window", 0.0),
        ("window", -1.0),
        ("window", float("inf")),
        ("buckets", 0),
        ("min_calls", 0),
        ("min_calls", -1),
        ("open_for", 0.0),
        ("open_for", -60.0),
        ("trials", 0),
    ],
)
def test_an_impossible_option_is_refused_by_its_name(name: str, value: float) -> None:
    values = OPTIONS | {name: value}
    unchecked: list[Any] = [
        BreakerOptions.model_construct(**values),
        SimpleNamespace(**values),
    ]
    for options in unchecked:
        with pytest.raises(ValueError, match=name):
            Breaker("payments", options, trial_timeout=1.0)


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_an_impossible_trial_timeout_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"trial_timeout must be above 0"):
        Breaker("payments", breaker_options(), trial_timeout=value)


# Closed


def test_19_straight_failures_of_at_least_20_calls_do_not_open_it(clock: Clock) -> None:
    breaker = breaker_on(clock, min_calls=20)
    fail(breaker, 19)
    assert status(breaker) == State.CLOSED
    fail(breaker)
    assert status(breaker) == State.OPEN


def test_enough_calls_of_which_too_few_failed_do_not_open_it(clock: Clock) -> None:
    breaker = breaker_on(clock, threshold=0.6, min_calls=5)
    succeed(breaker, 41)
    fail(breaker, 59)
    assert breaker.ratio() == 0.59
    assert status(breaker) == State.CLOSED


def test_the_threshold_itself_opens_it(clock: Clock) -> None:
    breaker = breaker_on(clock, threshold=0.6, min_calls=5)
    succeed(breaker, 40)
    fail(breaker, 59)
    assert status(breaker) == State.CLOSED
    fail(breaker)
    assert status(breaker) == State.OPEN


def test_a_success_never_opens_it(clock: Clock) -> None:
    breaker = breaker_on(clock, min_calls=5)
    fail(breaker, 4)
    succeed(breaker)  # the fifth call, and 80 % have failed
    assert status(breaker) == State.CLOSED


def test_failures_that_have_left_the_window_do_not_open_it(clock: Clock) -> None:
    breaker = breaker_on(clock, window=4.0, buckets=4, min_calls=5)
    fail(breaker, 4)
    clock.advance(4.0)
    assert breaker.ratio() == 0
    fail(breaker, 4)
    assert status(breaker) == State.CLOSED


def test_an_outcome_whose_bucket_has_left_is_dropped(clock: Clock) -> None:
    breaker = breaker_on(clock, window=4.0, buckets=4, min_calls=1)
    with breaker.calling() as call:
        clock.advance(4.0)
        succeed(breaker)  # what rolls the window is not what drops the outcome
        call.failed()
    assert status(breaker) == State.CLOSED
    assert (breaker.counts().requests, breaker.counts().failures) == (1, 0)


def test_consecutive_outcomes_are_counted_and_end_each_other(clock: Clock) -> None:
    breaker = breaker_on(clock, min_calls=100)
    succeed(breaker, 3)
    assert breaker.counts().consecutive_successes == breaker.success_counter == 3
    fail(breaker, 2)
    counts = breaker.counts()
    assert counts.consecutive_successes == 0
    assert counts.consecutive_failures == breaker.fail_counter == 2


# Open


def test_an_open_one_refuses_without_calling_and_counts_only_the_refusal(clock: Clock) -> None:
    breaker = breaker_on(clock)
    fail(breaker, 5)
    before = breaker.counts()
    refused = refusal(breaker)
    after = breaker.counts()
    assert refused.name == "payments"
    assert refused.retry_after == 60.0
    assert (before.refused, after.refused) == (0, 1)
    assert after.requests == after.failures == after.consecutive_failures == 0


def test_one_tick_before_its_time_it_is_open_and_then_half_open(clock: Clock) -> None:
    breaker = breaker_on(clock, open_for=60.0)
    breaker.open()
    clock.advance(60.0 - 0.125)
    assert status(breaker) == State.OPEN
    assert refusal(breaker).retry_after == 0.125
    clock.advance(0.125)
    assert status(breaker) == State.HALF_OPEN
    succeed(breaker)


# Half-open


def test_trials_hold_their_slots_until_all_have_succeeded(clock: Clock) -> None:
    breaker = half_open(clock, trials=3)
    with breaker.calling(), breaker.calling():
        succeed(breaker)  # done, and its slot is used up
        clock.advance(0.5)
        assert refusal(breaker).retry_after == TRIAL_TIMEOUT - 0.5
        assert status(breaker) == State.HALF_OPEN
    assert status(breaker) == State.CLOSED
    assert breaker.counts().requests == breaker.counts().successes == 0


def test_any_failed_trial_opens_it_for_the_whole_time_again(clock: Clock) -> None:
    breaker = half_open(clock, trials=3, open_for=60.0)
    succeed(breaker, 2)
    clock.advance(1.0)
    fail(breaker)
    assert status(breaker) == State.OPEN
    assert refusal(breaker).retry_after == 60.0


def test_a_trial_counts_however_long_the_window_is(clock: Clock) -> None:
    breaker = half_open(clock, trials=1, window=1.0, buckets=1)
    with breaker.calling():
        clock.advance(1.5)
    assert status(breaker) == State.CLOSED


def test_a_trial_that_never_returns_has_failed(clock: Clock) -> None:
    breaker = half_open(clock, trials=1, open_for=60.0)
    hung = breaker.calling()
    hung.__enter__()
    clock.advance(TRIAL_TIMEOUT - 0.125)
    assert status(breaker) == State.HALF_OPEN
    clock.advance(0.125)
    assert status(breaker) == State.OPEN
    clock.advance(60.0)
    succeed(breaker)
    assert status(breaker) == State.CLOSED


@pytest.mark.parametrize("failed", [False, True])
def test_a_trial_that_returns_too_late_changes_nothing(failed: bool, clock: Clock) -> None:
    breaker = half_open(clock, trials=1, open_for=60.0)
    with breaker.calling() as late:
        clock.advance(TRIAL_TIMEOUT)
        if failed:
            late.failed()
    assert status(breaker) == State.OPEN
    assert breaker.counts().successes == breaker.counts().failures == 0
    assert refusal(breaker).retry_after == 60.0


def test_a_trial_that_has_returned_can_no_longer_hang(clock: Clock) -> None:
    breaker = half_open(clock, trials=3)
    succeed(breaker)
    clock.advance(10 * TRIAL_TIMEOUT)
    assert status(breaker) == State.HALF_OPEN


def test_a_hung_trial_costs_no_more_when_nobody_looked_meanwhile(clock: Clock) -> None:
    breaker = half_open(clock, trials=1, open_for=60.0)
    breaker.calling().__enter__()
    clock.advance(3600.0)
    assert status(breaker) == State.HALF_OPEN
    half, opened = list(breaker.transitions)[-2:][::-1]
    assert half.at - opened.at == 60.0


def test_the_trials_in_time_do_not_hide_the_one_that_hangs(clock: Clock) -> None:
    breaker = half_open(clock, trials=3)
    hung = breaker.calling()
    hung.__enter__()
    clock.advance(TRIAL_TIMEOUT - 0.125)
    succeed(breaker)
    clock.advance(0.125)
    assert status(breaker) == State.OPEN


def test_fewer_trials_than_have_succeeded_need_one_more(clock: Clock) -> None:
    breaker = half_open(clock, trials=3)
    succeed(breaker, 2)
    breaker.update(breaker_options(trials=1))
    with breaker.calling() as call:
        call.excluded()
    assert status(breaker) == State.HALF_OPEN
    succeed(breaker)
    assert status(breaker) == State.CLOSED
