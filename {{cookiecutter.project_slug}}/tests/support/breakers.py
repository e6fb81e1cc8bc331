"""Breakers on a clock that a test sets."""

from typing import Any

import pytest

from steadfast_service.runtime.outbound.breaker import (
    Breaker,
    CircuitOpen,
    State,
)
from steadfast_service.runtime.outbound.options import BreakerOptions

from .clock import Clock

OPTIONS: dict[str, Any] = {
    "threshold": 0.6,
    "window": 4.0,
    "buckets": 4,
    "min_calls": 5,
    "open_for": 60.0,
    "trials": 3,
}
TRIAL_TIMEOUT = 2.0


def breaker_options(**options: Any) -> BreakerOptions:
    """Opens at 3 failures in 5 calls within 4 s, for 60 s; 3 trials close it."""
    return BreakerOptions(**OPTIONS | options)


def breaker_on(clock: Clock, **options: Any) -> Breaker:
    """A breaker of these options, closed."""
    return Breaker(
        "payments",
        breaker_options(**options),
        trial_timeout=TRIAL_TIMEOUT,
        clock=clock,
    )


def half_open(clock: Clock, **options: Any) -> Breaker:
    """A breaker that was open and is due for trials."""
    breaker = breaker_on(clock, **options)
    breaker.open()
    clock.advance(breaker.reset_timeout)
    return breaker


def status(breaker: Breaker) -> State:
    """Its state, which a type checker believes to stay as it was last seen."""
    return breaker.status


def succeed(breaker: Breaker, times: int = 1) -> None:
    """Calls that succeed."""
    for _ in range(times):
        with breaker.calling():
            pass


def fail(breaker: Breaker, times: int = 1) -> None:
    """Calls that fail."""
    for _ in range(times):
        with breaker.calling() as call:
            call.failed()


def refusal(breaker: Breaker) -> CircuitOpen:
    """What a call is refused with; the test fails where it is not."""
    with pytest.raises(CircuitOpen) as refused, breaker.calling():
        pytest.fail("it was let through")
    return refused.value
