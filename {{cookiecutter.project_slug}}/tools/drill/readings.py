"""What the service itself says about one of its settings, all the time."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import httpx

from .stage import Span

INTERVAL = 0.05  # seconds between two readings


class Reading(NamedTuple):
    """What `/config` said; times in seconds of the monotonic clock.

    Attributes:
        value: of the setting; None where there was no answer, and `status` then says why.
        refused: changes so far.
    """

    asked: float
    answered: float
    value: Any
    status: str
    refused: int = 0

    def __str__(self) -> str:
        return f"{self.value} ({self.status})"


class Readings:
    """What `/config` says all the time.

    Args:
        ops: a client of the management port.
        setting: by its variable.
    """

    def __init__(self, ops: httpx.AsyncClient, setting: str) -> None:
        self._ops, self._setting = ops, setting
        self.all: list[Reading] = []

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self.all.append(await self._read())
            await asyncio.sleep(INTERVAL)

    async def _read(self) -> Reading:
        asked = time.monotonic()
        try:
            answer = (await self._ops.get("/config")).raise_for_status().json()
        except httpx.HTTPError as exc:
            return Reading(asked, time.monotonic(), None, repr(exc))
        refused = sum(entry["outcome"] == "refused" for entry in answer["refusals"])
        value = answer["settings"][self._setting]["value"]
        return Reading(asked, time.monotonic(), value, answer["status"], refused)

    def during(self, span: Span) -> list[Reading]:
        """Those that were asked for and answered in this time."""
        return [one for one in self.all if span.begin <= one.asked and one.answered <= span.end]

    async def until(self, reached: Callable[[Reading], bool], limit: float) -> float:
        """When one was so; infinite where none is within `limit` seconds."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if self.all and reached(self.all[-1]):
                return self.all[-1].answered
            await asyncio.sleep(INTERVAL / 5)
        return math.inf


@asynccontextmanager
async def reading(ops: httpx.AsyncClient, setting: str) -> AsyncIterator[Readings]:
    """Read it until the end; the arguments are `Readings`'."""
    readings = Readings(ops, setting)
    task = asyncio.create_task(readings.run())
    try:
        yield readings
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
