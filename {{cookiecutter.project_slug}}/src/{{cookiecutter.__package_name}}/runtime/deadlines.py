"""Deadlines: one absolute instant per request, and shares of what is left of it.

The server's limit applies to every request. A route may declare its own (longer or
shorter), the caller may only shorten it. Whoever works for the request takes a share of
the rest, by `deadline_share` of each dependency and of the database, so that there is time
left to answer.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .context import NO_DEADLINE, RequestState, current

# 18 digits of milliseconds are 31 million years; more is not a number that anyone meant.
MAX_DIGITS = 18


class DeadlineExceeded(Exception):
    """The time of this request is used up; `what` says which work was cut short."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} ran out of time")
        self.what = what


def parse_milliseconds(value: bytes) -> float | None:
    """A budget header in seconds; None for anything but ASCII digits.

    `b"1500"` is 1.5. A sign, a fraction, a list, blanks or 19 digits are not a budget: the
    header is then ignored and the server's limit stands, so a client can never opt out.
    """
    if not value.isdigit() or len(value) > MAX_DIGITS:
        return None
    return int(value) / 1000


def apply(state: RequestState, limit: float) -> None:
    """Give the request `limit` seconds from its start, or less where its caller said so."""
    state.deadline = min(state.begun + limit, state.cap)


def remaining() -> float:
    """Seconds until the deadline of the current request; infinite outside of one."""
    state = current.get()
    if state is None or state.deadline == NO_DEADLINE:
        return NO_DEADLINE
    return state.deadline - time.monotonic()


def share(fraction: float, at_most: float = NO_DEADLINE) -> float:
    """Seconds that one piece of work may take: a fraction of the rest, never above `at_most`.

    Raises:
        DeadlineExceeded: nothing is left.
    """
    left = remaining()
    if left <= 0:
        raise DeadlineExceeded("the request")
    return min(left * fraction, at_most)


@asynccontextmanager
async def within(fraction: float, what: str, at_most: float = NO_DEADLINE) -> AsyncIterator[float]:
    """Bound a block of awaits by a share of the deadline; yields the seconds it got.

    Raises:
        DeadlineExceeded: the share is used up; the block was cancelled.
    """
    seconds = share(fraction, at_most)
    scope = asyncio.timeout(None if seconds == NO_DEADLINE else seconds)
    try:
        async with scope:
            yield seconds
    except TimeoutError as exc:
        if scope.expired():
            raise DeadlineExceeded(what) from exc
        raise
