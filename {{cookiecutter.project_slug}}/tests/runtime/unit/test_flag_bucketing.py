"""A percentage of the keys: which ones, how many, and that it stays so."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.flags.bucketing import within

NUMBER = 20_000
KEYS = [f"cus_{number}" for number in range(NUMBER)]
keys = st.text() | st.text("a\ud800")  # a claim may hold a lone surrogate
names = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
percentages = st.floats(0, 100)


def share(percentage: float, flag: str, among: list[str]) -> int:
    """How many of these keys are within."""
    return sum(within(percentage, flag, key) for key in among)


@pytest.mark.parametrize(
    ("flag", "key", "digest"),
    [  # printf '%s' new_checkout:cus_1 | sha256sum | cut -c1-8
        ("new_checkout", "cus_1", "2e5b74a2"),
        ("new_checkout", "cus_2", "21fc3a73"),
        ("large_orders", "cus_1", "9d9159d3"),
        ("large_orders", "Zo\u00eb", "8adffa59"),
    ],
)
def test_another_language_computes_the_same(flag: str, key: str, digest: str) -> None:
    threshold = int(digest, 16) * 100 / 2**32  # exact: 39 bits
    assert not within(threshold, flag, key)
    assert within(math.nextafter(threshold, 100), flag, key)


@given(names, keys, percentages, percentages)
def test_raising_the_percentage_keeps_everybody_in(
    flag: str, key: str, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert within(low, flag, key) <= within(high, flag, key)


@given(names, keys)
def test_nobody_is_within_0_and_everybody_within_100(flag: str, key: str) -> None:
    assert not within(0, flag, key)
    assert within(100, flag, key)


@pytest.mark.parametrize("flag", ["a", "new_checkout", "large_orders"])
def test_keys_spread_evenly_over_the_percentages(flag: str) -> None:
    shares = [share(percentage, flag, KEYS) for percentage in range(0, 101, 5)]
    expected = NUMBER / 20
    chi_squared = sum((b - a - expected) ** 2 / expected for a, b in pairwise(shares))
    assert chi_squared < 43.8  # the quantile of 0.999 with 19 degrees of freedom


@pytest.mark.parametrize("percentage", [0.1, 1, 10, 50, 99.5])
def test_a_percentage_is_that_share_of_the_keys(percentage: float) -> None:
    p = percentage / 100
    deviation = math.sqrt(NUMBER * p * (1 - p))
    assert abs(share(percentage, "new_checkout", KEYS) - NUMBER * p) < 4 * deviation


def test_who_is_early_for_one_flag_is_not_so_for_the_next() -> None:
    early = [key for key in KEYS if within(10, "first", key)]
    p = 0.1
    deviation = math.sqrt(len(early) * p * (1 - p))
    assert abs(share(10, "second", early) - len(early) * p) < 4 * deviation
