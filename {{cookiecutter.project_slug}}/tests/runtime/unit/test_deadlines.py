"""Deadlines: what a header may say, and how the rest is shared out."""

import asyncio
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steadfast_service.runtime import deadlines
from steadfast_service.runtime.context import (
    NO_DEADLINE,
    RequestState,
    current,
)


@given(st.integers(min_value=0, max_value=10**18 - 1))
@example(0)
@example(1)
def test_a_whole_number_of_milliseconds_is_a_budget(number: int) -> None:
    assert deadlines.parse_milliseconds(str(number).encode()) == number / 1000


@given(st.binary(max_size=40).filter(lambda value: not value.isdigit()))
@example(b"")
@example(b"-1")
@example(b"+1")
@example(b"1.5")
@example(b"1e3")
@example(b"0x10")
@example(b"1_000")
@example(b" 5")
@example(b"5 ")
@example(b"5,6")
@example(b"inf")
@example(b"nan")
@example("\u0661".encode())  # a digit, but not an ASCII one
def test_anything_else_is_no_budget(value: bytes) -> None:
    assert deadlines.parse_milliseconds(value) is None


@given(st.integers(min_value=10**18))
def test_nor_is_a_number_that_nobody_meant(number: int) -> None:
    assert deadlines.parse_milliseconds(str(number).encode()) is None


def request_with(limit: float, cap: float = NO_DEADLINE) -> RequestState:
    state = RequestState(time.monotonic(), "a" * 32, "id")
    if cap != NO_DEADLINE:
        state.cap = state.begun + cap
    deadlines.apply(state, limit)
    return state


@given(
    limit=st.floats(min_value=0.001, max_value=3600),
    route=st.floats(min_value=0.001, max_value=3600),
    cap=st.floats(min_value=0, max_value=3600),
)
def test_a_caller_may_only_shorten(limit: float, route: float, cap: float) -> None:
    state = request_with(limit, cap)
    assert state.deadline == min(state.begun + limit, state.begun + cap)
    deadlines.apply(state, route)
    assert state.deadline == min(state.begun + route, state.begun + cap)


def test_outside_of_a_request_there_is_no_deadline() -> None:
    assert deadlines.remaining() == NO_DEADLINE
    assert deadlines.share(0.9) == NO_DEADLINE
    assert deadlines.share(0.9, at_most=2.0) == 2.0


def test_a_share_is_part_of_what_is_left_and_bounded() -> None:
    token = current.set(request_with(100))
    try:
        assert 79 < deadlines.share(0.8) <= 80
        assert deadlines.share(0.8, at_most=2) == 2
    finally:
        current.reset(token)


def test_nothing_left_is_nothing_to_share() -> None:
    token = current.set(request_with(5, cap=0))
    try:
        with pytest.raises(deadlines.DeadlineExceeded, match="the request ran out of time"):
            deadlines.share(0.9)
    finally:
        current.reset(token)


async def test_a_block_ends_with_its_share() -> None:
    cancelled = False

    async def work() -> None:
        nonlocal cancelled
        async with deadlines.within(0.5, "the store", 0.05) as seconds:
            assert seconds == 0.05
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled = True
                raise

    token = current.set(request_with(60))
    try:
        with pytest.raises(deadlines.DeadlineExceeded, match="the store ran out of time"):
            await work()
        assert cancelled
        assert deadlines.remaining() > 0  # there is time left to answer
    finally:
        current.reset(token)


async def test_the_block_s_own_timeout_is_not_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        async with deadlines.within(0.5, "the store"):
            raise TimeoutError
