"""What the circuit breaker costs: CPU time of a guarded call, less that of the call alone.

The call is an `await` of a coroutine that returns at once, or raises. pybreaker as it comes
stands beside it with the context manager that its documentation offers for such a call.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pybreaker
import uvloop
from orders.runtime.outbound.breaker import Breaker, CircuitOpen
from orders.runtime.outbound.options import BreakerOptions

from ..table import Row
from .clock import Measure, in_turns, minus, report

CALLS = 5000  # per round and variant: 5 to 20 ms
ALONE, FAILS = "the call alone", "the call alone, which raises"
Call = Callable[[], Awaitable[None]]


async def succeed() -> None:
    """The dependency answers."""


async def fail() -> None:
    """The dependency does not."""
    raise ConnectionError


def breaker() -> Breaker:
    """One with the service's own window, that so many failures do not open."""
    return Breaker("payments", BreakerOptions(min_calls=10**9), trial_timeout=2.0)


def guarded(call: Call) -> Call:
    """As the client makes a call."""
    ours = breaker()

    async def run() -> None:
        with ours.calling():
            await call()

    return run


def answered_with_5xx() -> Call:
    """A call that returns, and is then said to have failed."""
    ours = breaker()

    async def run() -> None:
        with ours.calling() as made:
            await succeed()
            made.failed()

    return run


def refused() -> Call:
    """A call of an open one."""
    ours = breaker()
    ours.open()

    async def run() -> None:
        with suppress(CircuitOpen), ours.calling():
            await succeed()

    return run


def as_it_comes() -> Call:
    """pybreaker without any of our own."""
    theirs = pybreaker.CircuitBreaker()

    async def run() -> None:
        with theirs.calling():
            await succeed()

    return run


async def alone() -> None:
    """The same coroutine around it, with nothing in it."""
    await succeed()


async def fails() -> None:
    """The same for one that raises."""
    await fail()


async def cost(call: Call) -> float:
    """CPU µs of a call."""
    begun = time.process_time()
    for _ in range(CALLS):
        with suppress(ConnectionError):
            await call()
    return (time.process_time() - begun) / CALLS * 1e6


def main(rounds: int) -> None:
    """Measure in turns, print what each adds."""
    compared = {
        "breaker, a call": (guarded(succeed), ALONE, "<= 5"),
        "breaker, a call that is answered with 5xx": (answered_with_5xx(), ALONE, "<= 5"),
        "breaker, a call that raises": (guarded(fail), FAILS, "<= 5"),
        "breaker, a refusal instead of the call": (refused(), ALONE, ""),
        "pybreaker as it comes, a call": (as_it_comes(), ALONE, ""),
    }
    calls = {ALONE: alone, FAILS: fails} | {name: call for name, (call, _, _) in compared.items()}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:

        def measured(call: Call) -> Measure:
            return lambda: runner.run(cost(call))

        values = in_turns({name: measured(call) for name, call in calls.items()}, rounds)
    report(
        costs=[
            Row(name, minus(values[name], values[against]), "µs", target)
            for name, (_, against, target) in compared.items()
        ]
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
