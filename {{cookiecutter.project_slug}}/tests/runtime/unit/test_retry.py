"""Which calls are repeated, when, and how often in an outage."""

import time
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.outbound.options import RetryOptions
from steadfast_service.runtime.outbound.retry import (
    Retries,
    repeatable,
    retry_after,
)

LONG = 1e9


OPTIONS = RetryOptions()


def retries(**options: float) -> Retries:
    return Retries(RetryOptions.model_validate(options))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_idempotent_methods_are_repeatable(method: str) -> None:
    assert repeatable(method, {})


@pytest.mark.parametrize("method", ["POST", "PATCH", "get", "UNHEARD"])
def test_others_only_with_a_key(method: str) -> None:
    assert not repeatable(method, {"X-Key": "1"})
    assert repeatable(method, {"Idempotency-Key": "1"})
    assert repeatable(method, {"idempotency-key": "1"})


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("999999", 999_999),
        ("1000000", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("soon", None),
        ("\xb2", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after_in_seconds(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}) == seconds


@given(st.integers(0, 4_000_000_000), st.integers(0, 4_000_000_000))
def test_retry_after_as_a_date(now: int, then: int) -> None:
    date = format_datetime(datetime.fromtimestamp(then, UTC), usegmt=True)
    wait = retry_after({"retry-after": date}, lambda: now)
    assert wait == (max(0, then - now) if then - now < 1_000_000 else None)


@given(st.integers(0, 999_999))
def test_a_date_without_a_zone_is_of_gmt(seconds: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        try:
            date = time.asctime(time.gmtime(seconds))
            assert retry_after({"retry-after": date}, lambda: 0) == seconds
        finally:
            patch.undo()
            time.tzset()


@given(st.text())
def test_retry_after_of_any_text_is_a_wait_or_nothing(value: str) -> None:
    wait = retry_after({"retry-after": value})
    assert wait is None or wait >= 0


def test_no_header_asks_for_nothing() -> None:
    assert retry_after({}) is None


@given(st.integers(1, 10), st.integers(1, 12), st.floats(0, 1), st.floats(0.001, 10))
def test_pauses_have_full_jitter_and_a_bound(
    attempts: int, attempt: int, draw: float, backoff: float
) -> None:
    options = RetryOptions(attempts=attempts, backoff=backoff, backoff_max=backoff * 4)
    one = Retries(options, draw=lambda low, high: low + draw * (high - low))
    pause = one.pause(attempt, options, left=LONG, asked=None)
    if attempt >= attempts:
        assert pause is None
    else:
        longest = min(backoff * 2 ** (attempt - 1), backoff * 4)
        assert pause == pytest.approx(draw * longest)


def test_what_the_dependency_asks_for_comes_on_top() -> None:
    options = RetryOptions(backoff=0.5)
    pause = Retries(options).pause(1, options, left=LONG, asked=3)
    assert pause is not None
    assert 3 <= pause <= 3.5


def test_a_pause_that_reaches_the_deadline_is_none_and_costs_nothing() -> None:
    one = retries()
    assert one.pause(1, OPTIONS, left=3.0, asked=3.0) is None
    assert one.pause(1, OPTIONS, left=0.0, asked=None) is None
    assert one.tokens == 10


@given(st.integers(1, 50), st.floats(0, 1), st.integers(0, 2000))
def test_an_outage_is_multiplied_by_the_budget_and_no_more(
    burst: int, budget: float, calls: int
) -> None:
    one = retries(burst=burst, budget=budget, attempts=3)
    made = 0
    for _ in range(calls):
        one.call_began()
        for attempt in (1, 2):
            if one.pause(attempt, OPTIONS, left=LONG, asked=None) is None:
                break
            made += 1
    assert made <= burst + budget * calls
    assert one.tokens <= burst


def test_successes_fill_the_budget_again() -> None:
    one = retries(burst=1, budget=0.5)
    assert one.pause(1, OPTIONS, left=LONG, asked=None) is not None
    assert one.pause(1, OPTIONS, left=LONG, asked=None) is None
    one.call_began()
    assert one.pause(1, OPTIONS, left=LONG, asked=None) is None
    one.call_began()
    assert one.pause(1, OPTIONS, left=LONG, asked=None) is not None
