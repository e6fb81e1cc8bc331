"""Whether a canary is good, by numbers alone."""

import math
from dataclasses import dataclass
from enum import Enum

from .measures import Reading

PLAIN = 10  # so many times over the limit needs only a tenth of the requests to be believed
CLOSE = 1.5  # up to so many times over it is neither good nor bad


class Verdict(Enum):
    """What one look at the numbers says."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "too early to say"


@dataclass(frozen=True, slots=True)
class Limits:
    """What is good enough.

    Attributes:
        min_requests: below it nothing is said; 300 make the 99th percentile the third slowest.
        max_error_ratio: share of 5xx, unless the stable has more at the same time.
        max_slowdown: of the 99th percentile, over the stable's.
        fast_enough: seconds; below it a difference is noise.
    """

    min_requests: float = 300
    max_error_ratio: float = 0.01
    max_slowdown: float = 1.5
    fast_enough: float = 0.05


def judge(canary: Reading, stable: Reading, limits: Limits) -> tuple[Verdict, str]:
    """The verdict and why. A canary may do as badly as the stable, which it is to replace."""
    if canary.restarts:
        return Verdict.BAD, f"its processes restarted {canary.restarts:.0f} times"
    allowed = max(limits.max_error_ratio, stable.error_ratio)
    errors = f"{canary.error_ratio:.2%} errors, {allowed:.2%} allowed"
    if canary.requests < limits.min_requests:
        plain = canary.requests >= limits.min_requests / PLAIN
        if plain and canary.error_ratio > max(allowed, min(0.9, PLAIN * allowed)):
            return Verdict.BAD, errors
        return Verdict.UNKNOWN, f"{canary.requests:.0f} of {limits.min_requests:.0f} requests"
    if canary.error_ratio > allowed:
        bad = canary.error_ratio > min(0.9, CLOSE * allowed)
        return (Verdict.BAD if bad else Verdict.UNKNOWN), errors
    baseline = limits.fast_enough
    if stable.p99 > baseline:  # not when it is NaN
        baseline = stable.p99
    if math.isnan(canary.p99):
        return Verdict.UNKNOWN, "no latency"
    if canary.p99 > limits.max_slowdown * baseline:
        allowed_p99 = limits.max_slowdown * baseline
        return Verdict.BAD, f"p99 {canary.p99:.3f} s, {allowed_p99:.3f} s allowed"
    return Verdict.GOOD, errors
