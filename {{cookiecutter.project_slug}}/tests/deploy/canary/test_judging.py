"""Verdicts by numbers alone, at their edges."""

import math

import pytest

from tools.canary.judging import Limits, Verdict, judge
from tools.canary.measures import Reading

LIMITS = Limits(min_requests=300, max_error_ratio=0.01, max_slowdown=1.5, fast_enough=0.05)
STABLE = Reading(9000, 0.0, 0.2)
GOOD, BAD, UNKNOWN = Verdict.GOOD, Verdict.BAD, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("canary", "stable", "verdict"),
    [
        (Reading(300, 0.01, 0.3), STABLE, GOOD),
        (Reading(299, 0.0, 0.2), STABLE, UNKNOWN),
        (Reading(), STABLE, UNKNOWN),
        # Over the limit, a little and plainly.
        (Reading(300, 0.015, 0.2), STABLE, UNKNOWN),
        (Reading(300, 0.016, 0.2), STABLE, BAD),
        # Plain enough for few requests, but not for fewer.
        (Reading(30, 0.11, 0.2), STABLE, BAD),
        (Reading(30, 0.09, 0.2), STABLE, UNKNOWN),
        (Reading(29, 1.0, 0.2), STABLE, UNKNOWN),
        # As bad as the stable, and worse; it is not to blame where all fails.
        (Reading(300, 0.05, 0.2), Reading(9000, 0.05, 0.2), GOOD),
        (Reading(300, 0.08, 0.2), Reading(9000, 0.05, 0.2), BAD),
        (Reading(30, 1.0, 0.2), Reading(9000, 0.5, 0.2), BAD),
        (Reading(30, 1.0, 0.2), Reading(9000, 1.0, 0.2), UNKNOWN),
        (Reading(300, 0.0, 0.301), STABLE, BAD),
        # Both fast: a difference is noise.
        (Reading(300, 0.0, 0.07), Reading(9000, 0.0, 0.002), GOOD),
        # A stable without requests: the limits alone.
        (Reading(300, 0.0, 0.07), Reading(), GOOD),
        (Reading(300, 0.0, 0.08), Reading(), BAD),
        (Reading(300, 0.0, math.nan), STABLE, UNKNOWN),
        (Reading(0, 0.0, math.nan, restarts=1), STABLE, BAD),
    ],
)
def test_the_verdict(canary: Reading, stable: Reading, verdict: Verdict) -> None:
    assert judge(canary, stable, LIMITS)[0] is verdict
