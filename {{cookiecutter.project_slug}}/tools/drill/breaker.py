"""What the breaker of payments did, from the service's log."""

import asyncio
import time
from datetime import datetime
from typing import NamedTuple

from .processes import DrillError
from .service import Service

EVENT = "circuit changed"


class Change(NamedTuple):
    """A change of state; `at` in seconds of the monotonic clock."""

    at: float
    state: str


def changes(service: Service) -> list[Change]:
    """Every change so far."""
    ahead = time.time() - time.monotonic()
    return [
        Change(datetime.fromisoformat(record["timestamp"]).timestamp() - ahead, record["after"])
        for record in service.logged(EVENT)
    ]


async def opened(service: Service, limit: float) -> float:
    """When it has opened, for the first time.

    Raises:
        DrillError: it does not within `limit` seconds.
    """
    end = time.monotonic() + limit
    while time.monotonic() < end:
        for change in changes(service):
            if change.state == "open":
                return change.at
        await asyncio.sleep(0.05)
    raise DrillError(f"the breaker of payments does not open within {limit:g} s")
