"""Follows one source for as long as the service runs, through every outage of it."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import aclosing
from typing import Protocol

import structlog

from .reading import Reading, Source, SourceError


class Listener(Protocol):
    """Who is told what a source says."""

    def offer(self, source: str, reading: Reading) -> None:
        """It holds this now."""

    def alive(self, source: str) -> None:
        """It has answered, without a change."""

    def lost(self, source: str, reason: str) -> None:
        """It cannot be read."""


class Pauses:
    """How long to wait before it is asked again: doubling, with full jitter.

    Args:
        first, longest: seconds, of the first pause at most and of any.
    """

    def __init__(
        self, first: float, longest: float, draw: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._first, self._longest, self._draw = first, longest, draw
        self._next = first

    def __iter__(self) -> Iterator[float]:
        return self

    def __next__(self) -> float:
        # Never quite 0: a source that fails at once must not keep the event loop busy.
        seconds = max(self._draw(0, self._next), self._first / 10)
        self._next = min(2 * self._next, self._longest)
        return seconds

    def reset(self) -> None:
        """It has answered."""
        self._next = self._first


async def follow(source: Source, since: Reading | None, to: Listener, pauses: Pauses) -> None:
    """Tell `to` of everything that `source` says, for ever.

    Args:
        since: what is known of it; None: nothing, so it is read first.
    """
    reading = since
    while True:
        try:
            if reading is None:
                reading = await source.load()
                to.offer(source.name, reading)
            async with aclosing(source.watch(reading)) as readings:
                async for later in readings:
                    pauses.reset()
                    if later is None:
                        to.alive(source.name)
                    else:
                        to.offer(source.name, later)
            reason = "it ended"
        except SourceError as exc:
            reason = str(exc)
        except Exception as exc:  # noqa: BLE001 - a defect of one source must not end its watch
            reason = f"{type(exc).__name__}: {exc}".splitlines()[0][:200]
            structlog.get_logger().exception("a source of settings failed", source=source.name)
        to.lost(source.name, reason)
        reading = None
        await asyncio.sleep(next(pauses))
