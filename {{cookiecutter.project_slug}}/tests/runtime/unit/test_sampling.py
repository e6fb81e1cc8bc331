"""The sampling decision: one draw, nested rates, the same everywhere."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

from steadfast_service.runtime.config.groups import Group
from steadfast_service.runtime.context import LOW_64_BITS
from steadfast_service.runtime.observability.sampling import (
    Sampling,
    bound_for,
    open_sampling,
)

from ...support.changing import Changing

rates = st.floats(min_value=0, max_value=1)
draws = st.integers(min_value=0, max_value=LOW_64_BITS)

ORDERS, PAYMENTS = ("POST", "/api/orders"), ("POST", "/api/payments")


class Log(Group):
    sample_rate: float = 0
    key_route_rate: float = 0
    key_routes: tuple[str, ...] = ()
    level: str = "info"  # which is not the sampling's to know


class Tracing(Group):
    sample_ratio: float = 0


def sampling(rate: float, key_rate: float = 0, *key_routes: str, ratio: float = 0) -> Sampling:
    return Sampling(rate=rate, key_rate=key_rate, key_routes=key_routes, trace_ratio=ratio)


@given(rates, rates, draws)
def test_a_smaller_rate_takes_a_part_of_what_a_larger_one_takes(
    a: float, b: float, draw: int
) -> None:
    small, large = sorted((a, b))
    if sampling(small).logs(draw, "GET", "/"):
        assert sampling(large).logs(draw, "GET", "/")
    if sampling(small).logs(draw, "GET", "/"):
        assert sampling(0, ratio=large).traces(draw)


@given(rates, st.integers(min_value=0, max_value=(1 << 128) - 1))
@example(1.0, (1 << 128) - 1)
@example(0.0, 0)
def test_it_decides_as_opentelemetry_does(rate: float, trace_id: int) -> None:
    theirs = TraceIdRatioBased(rate).should_sample(None, trace_id, "span").decision
    ours = sampling(0, ratio=rate).traces(trace_id & LOW_64_BITS)
    assert ours == (theirs is Decision.RECORD_AND_SAMPLE)


@given(draws)
def test_the_ends_of_the_scale_are_exact(draw: int) -> None:
    assert sampling(1).logs(draw, "GET", "/")
    assert not sampling(0).logs(draw, "GET", "/")


def test_a_rate_is_kept() -> None:
    taken = sum(sampling(0.05).logs(n * (LOW_64_BITS // 10_000), "GET", "/") for n in range(10_000))
    assert 499 <= taken <= 501


@pytest.mark.parametrize("rate", [-0.001, 1.001, float("nan"), float("inf")])
def test_a_rate_outside_of_the_scale_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        bound_for(rate)


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("POST", "/api/orders", True),
        ("GET", "/api/orders", False),
        ("POST", "/api/orders/", False),
        ("GET", "/api/orders/ord_1", True),
        ("GET", "/api/orders/ord_1/items", False),
        ("DELETE", "/api/orders/ord_1", False),
        ("GET", "/api/a.c/1/lines/2", True),
        ("GET", "/api/abc/1/lines/2", False),
        ("GET", "/api/a.c/1/lines/", False),
    ],
)
def test_key_routes_have_a_rate_of_their_own(method: str, path: str, key: bool) -> None:
    routes = ("POST /api/orders", "GET /api/orders/{order_id}", "GET /api/a.c/{a}/lines/{b}")
    decide = sampling(0, 1, *routes)
    assert decide.logs(LOW_64_BITS, method, path) == key


def test_a_key_route_never_loses_the_ordinary_rate() -> None:
    assert sampling(1, 0, "GET /").logs(LOW_64_BITS, "GET", "/")


def test_both_groups_of_settings_are_followed() -> None:
    log, tracing = Changing(Log()), Changing(Tracing())
    marked = iter([" ".join(ORDERS)])  # the contract's, read once
    decide = open_sampling(log, tracing, key_routes=marked, traced=True)
    assert not decide.logs(0, *ORDERS)
    assert not decide.traces(0)
    log.change(key_route_rate=1)
    assert [decide.logs(LOW_64_BITS, *one) for one in (ORDERS, PAYMENTS)] == [True, False]
    log.change(key_routes=(" ".join(PAYMENTS),))
    assert [decide.logs(LOW_64_BITS, *one) for one in (ORDERS, PAYMENTS)] == [True, True]
    log.change(sample_rate=1)
    assert decide.logs(LOW_64_BITS, "GET", "/")
    tracing.change(sample_ratio=1)
    assert decide.traces(LOW_64_BITS)
    log.change(sample_rate=0, key_route_rate=0)
    assert not decide.logs(0, *ORDERS)


def test_where_nothing_is_traced_no_ratio_matters() -> None:
    tracing = Changing(Tracing(sample_ratio=1))
    decide = open_sampling(Changing(Log()), tracing, key_routes=(), traced=False)
    tracing.change(sample_ratio=0.5)
    assert not decide.traces(0)


@pytest.mark.parametrize("wrong", [{"rate": 2}, {"key_rate": -1}])
def test_a_refused_change_leaves_everything_as_it_was(wrong: dict[str, float]) -> None:
    decide = sampling(0, 1, "POST /api/orders", ratio=1)
    change: dict[str, float] = {"rate": 1, "key_rate": 0} | wrong
    with pytest.raises(ValueError, match="between 0 and 1"):
        decide.update_logs(**change, key_routes=())
    with pytest.raises(ValueError, match="between 0 and 1"):
        decide.update_traces(2)
    assert decide.logs(LOW_64_BITS, *ORDERS)
    assert not decide.logs(0, *PAYMENTS)
    assert decide.traces(LOW_64_BITS)
