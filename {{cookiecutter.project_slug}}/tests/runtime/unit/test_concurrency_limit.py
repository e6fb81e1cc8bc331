"""The adaptive limit, with simulated processes that do work by its leave."""

from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadfast_service.runtime.concurrency_limit import (
    BURST,
    ConcurrencyLimit,
)

from ...support.clock import Clock
from ...support.records import Records

TICK = 0.001
BEAT = 20  # ticks


class Process:
    """Does work of a fixed cost on one core, in turns, and then waits for a dependency.

    Args:
        cost: CPU seconds of a piece of work.
        wait: seconds that it waits besides.
        arrivals: pieces of work a second.
    """

    def __init__(self, *, cost: float, wait: float, arrivals: float, **options: Any) -> None:
        self.clock = Clock(0.0)
        self.cost, self.wait, self.arrivals = cost, wait, arrivals
        self.lag = 0.0
        self.used = 0.0
        self.done = 0
        self.times: list[float] = []
        self.limit = ConcurrencyLimit(
            **{"max_in_flight": 1000, "min_in_flight": 2, "target_lag": 0.05} | options,
            clock=self.clock,
            demand=lambda: self.used,
        )
        self._queue: deque[list[float]] = deque()  # seconds of work left, and its beginning
        self._waiting: deque[tuple[float, float]] = deque()  # its end, and its beginning
        self._due = 0.0
        self._ticks = 0

    def run(self, seconds: float) -> None:
        """Let time pass; `times` and `done` are those of this run."""
        self.done, self.times = 0, []
        for _ in range(round(seconds / TICK)):
            self._tick()

    def _tick(self) -> None:
        self.clock.advance(TICK)
        self._ticks += 1
        self._due += self.arrivals * TICK
        while self._due >= 1:
            self._due -= 1
            if self.limit.in_flight < self.limit.ordinary:
                self._queue.append([self.cost, self.limit.enter()])
            else:
                self.limit.refused += 1
        left = TICK
        while self._queue and left > 0:
            work = self._queue[0]
            spent = min(left, work[0])
            left -= spent
            work[0] -= spent
            self.used += spent
            if work[0] <= 1e-9:
                self._queue.popleft()
                self._waiting.append((self.clock.now + self.wait, work[1]))
            else:
                self._queue.rotate(-1)
        while self._waiting and self._waiting[0][0] <= self.clock.now:
            begun = self._waiting.popleft()[1]
            self.limit.leave(begun)
            self.done += 1
            self.times.append(self.clock.now - begun)
        if self._ticks % BEAT == 0:
            self.limit.beat(self.lag)


def test_without_overload_nothing_is_refused() -> None:
    process = Process(cost=0.002, wait=0.01, arrivals=300)
    process.run(5)
    assert process.limit.refused == 0
    assert process.done > 1400


def test_a_slow_dependency_is_no_reason_to_refuse() -> None:
    process = Process(cost=0.0005, wait=0.01, arrivals=400)
    process.run(2)
    process.wait = 1.0
    process.run(3)
    assert process.limit.in_flight > 350
    assert process.limit.refused == 0


@pytest.mark.parametrize("wait", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("factor", [2, 3, 10])
def test_overload_costs_neither_throughput_nor_much_time(wait: float, factor: int) -> None:
    capacity = 400
    process = Process(cost=1 / capacity, wait=wait, arrivals=capacity / 2)
    process.run(2)
    usual = sum(process.times) / len(process.times)
    process.arrivals = capacity * factor
    process.run(1)  # until the first burst is over
    process.run(5)
    assert process.done >= 0.95 * 5 * capacity
    assert sorted(process.times)[int(len(process.times) * 0.99)] <= 3 * usual + 0.01
    assert process.limit.refused > 0


def test_it_ends_the_queue_of_a_start_in_overload() -> None:
    process = Process(cost=0.0025, wait=0, arrivals=2000)
    process.run(5)
    process.run(2)
    assert process.done >= 0.95 * 2 * 400
    assert max(process.times) < 0.1


def test_after_the_overload_there_is_room_for_a_burst() -> None:
    process = Process(cost=0.0025, wait=0.01, arrivals=2000)
    process.run(3)
    assert process.limit.limit < BURST
    process.arrivals = 100
    process.run(2)
    assert process.limit.limit >= BURST


def test_a_dependency_that_slows_down_in_overload_gets_its_room() -> None:
    process = Process(cost=0.0025, wait=0.005, arrivals=1200)
    process.run(3)
    process.wait = 0.5  # 200 in flight keep the core busy
    process.run(5)
    process.run(3)
    assert process.done >= 0.8 * 3 * 400


def test_a_late_loop_lowers_the_limit_whatever_the_cpu_says() -> None:
    process = Process(cost=0.0001, wait=0.1, arrivals=400)
    process.run(2)
    process.lag = 0.2
    process.run(1)
    assert process.limit.refused > 0
    process.run(1)
    assert process.limit.limit == 2


def test_so_does_a_queue_for_a_pool() -> None:
    waiting = 0
    process = Process(cost=0.0001, wait=0.01, arrivals=400, waiting=lambda: waiting)
    process.run(2)
    waiting, process.wait = 5, 0.2
    process.run(1)
    assert process.limit.refused > 0


def test_a_single_pause_changes_nothing() -> None:
    process = Process(cost=0.0001, wait=0.1, arrivals=400)
    process.run(2)
    before = process.limit.limit
    process.limit.beat(0.5)
    process.run(1)
    assert process.limit.limit >= before
    assert process.limit.refused == 0


def test_without_a_target_only_the_cap_counts() -> None:
    process = Process(cost=0.01, wait=0, arrivals=1000, target_lag=0.0, max_in_flight=50)
    process.lag = 1.0
    process.run(2)
    assert process.limit.limit == 50
    assert process.limit.in_flight == 50


def test_a_fifth_is_kept_for_critical_work() -> None:
    limit = ConcurrencyLimit(max_in_flight=10, min_in_flight=1, target_lag=0, reserve=True)
    assert (limit.ordinary, limit.limit) == (8, 10)
    least = ConcurrencyLimit(max_in_flight=1, min_in_flight=4, target_lag=0, reserve=True)
    assert (least.ordinary, least.limit) == (1, 1)


def test_retry_after_is_the_time_that_the_backlog_takes() -> None:
    process = Process(cost=0.0025, wait=0, arrivals=1200)
    process.run(4)
    assert process.limit.retry_after == 3  # 800 refused and some in flight, at 400 a second
    process.arrivals = 100
    process.run(2)
    assert process.limit.retry_after == 1
    process.arrivals = 400_000
    process.run(0.2)
    process.arrivals = 1
    process.run(1)
    assert process.limit.retry_after == 60


def test_the_log_has_one_record_a_second_while_it_refuses(records: Records) -> None:
    process = Process(cost=0.0025, wait=0, arrivals=100)
    process.run(3)
    assert records.lines == []
    process.arrivals = 1200
    process.run(3)
    process.arrivals = 100
    process.run(3)
    said = records.of("shedding load")
    assert 3 <= len(said) <= 4
    assert sum(record["refused"] for record in said) == process.limit.refused
    assert {record["level"] for record in said} == {"warning"}


steps = st.lists(
    st.tuples(
        st.floats(0, 5),  # lag
        st.floats(0, 2),  # CPU seconds
        st.integers(0, 200),  # work begun and finished
        st.floats(0.001, 2),  # seconds
    ),
    max_size=50,
)


@given(steps, st.integers(1, 100), st.integers(1, 100), st.booleans())
def test_it_stays_between_its_bounds(
    taken: list[tuple[float, float, int, float]], most: int, least: int, reserve: bool
) -> None:
    clock, used = Clock(), Clock(0.0)
    limit = ConcurrencyLimit(
        max_in_flight=most,
        min_in_flight=least,
        target_lag=0.05,
        reserve=reserve,
        clock=clock,
        demand=used,
    )
    for lag, cpu, number, seconds in taken:
        begun = [limit.enter() for _ in range(number)]
        clock.advance(seconds)
        used.advance(cpu)
        for instant in begun:
            limit.leave(instant)
        limit.refused += number
        limit.beat(lag)
        assert min(least, most) <= limit.limit <= most
        assert 1 <= limit.ordinary <= limit.limit
        assert 1 <= limit.retry_after <= 60
    assert limit.in_flight == 0
