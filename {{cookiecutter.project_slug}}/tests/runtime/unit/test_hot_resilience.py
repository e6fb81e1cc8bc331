"""What keeps the service up follows its settings while it runs, and forgets nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.requests import Request

from steadfast_service.runtime.http.problems import Problem
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.ops.access import open_access
from steadfast_service.runtime.outbound.breaker import State
from steadfast_service.runtime.outbound.options import RetryOptions
from steadfast_service.runtime.outbound.pipeline import Pipeline
from steadfast_service.runtime.outbound.retry import Retries
from steadfast_service.settings import Management

from ...support.breakers import breaker_options, fail, half_open, status
from ...support.changing import Changing
from ...support.clock import Clock
from ...support.upstream_server import options

# retries


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 60))
def test_retries_that_are_there_stay_up_to_the_new_burst(
    before: int, after: int, used: int
) -> None:
    old, new = RetryOptions(burst=before), RetryOptions(burst=after, budget=0.5)
    one = Retries(old)
    for _ in range(used):
        one.pause(1, old, left=1e9, asked=None)
    left = max(0, before - used)
    assert one.tokens == left
    one.update(new)
    assert one.tokens == min(left, after)
    one.call_began()
    assert one.tokens == min(left + 0.5, after)


# the breaker


def test_a_trial_has_the_time_that_held_when_it_began() -> None:
    clock = Clock()
    breaker = half_open(clock)
    with breaker.calling():  # 2 s
        breaker.update(breaker_options(), trial_timeout=0.5)
        clock.advance(0.625)
        assert status(breaker) is State.HALF_OPEN
        with breaker.calling():
            clock.advance(0.5)
            assert status(breaker) is State.OPEN


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_what_cannot_be_changes_nothing(seconds: float) -> None:
    breaker = half_open(Clock())
    with pytest.raises(ValueError, match="trial_timeout must be above 0"):
        breaker.update(breaker_options(trials=1), trial_timeout=seconds)
    assert (breaker.trial_timeout, breaker.success_threshold) == (2.0, 3)


# the pipeline


def pipeline(**groups: Any) -> Pipeline:
    return Pipeline("shop", options(**groups), attempts=Metrics().client_attempts)


def test_a_pipeline_changes_as_a_whole_or_not_at_all() -> None:
    one = pipeline()
    fail(one.breaker, 3)
    before = one.options
    broken = before.model_copy(
        update={
            "breaker": before.breaker.model_copy(update={"min_calls": 0}),
            "retry": RetryOptions(burst=1),
        }
    )
    with pytest.raises(ValueError, match="min_calls"):
        one.update(broken)
    assert one.options is before
    assert one.retries.tokens == 10
    one.update(options(breaker={"min_calls": 4}, retry={"burst": 1}, attempt_timeout=1.5))
    assert (one.breaker.counts().failures, one.retries.tokens) == (3, 1)
    assert one.breaker.trial_timeout == 3
    fail(one.breaker)
    assert one.breaker.status is State.OPEN


# the operators' token


def test_a_rotated_token_counts_at_once() -> None:
    settings = Changing(Management(token=SecretStr("first")))
    access, _ = open_access(settings)

    def refused(value: str) -> int:
        headers = [(b"authorization", f"Bearer {value}".encode())]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        try:
            access.check(Request(scope))
        except Problem as problem:
            return problem.status
        return 0

    assert (refused("first"), refused("second")) == (0, 401)
    settings.change(token=SecretStr("second"))
    assert (refused("first"), refused("second")) == (401, 0)
    settings.change(token=SecretStr(""))
    assert refused("second") == 403
