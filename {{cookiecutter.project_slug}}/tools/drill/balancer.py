"""A load balancer: it probes, and takes an instance out after failures in a row."""

import asyncio
import time
from contextlib import suppress
from typing import NamedTuple

import httpx

from .load import Load
from .records import Records
from .service import Service
from .stage import Stage

INTERVAL = 0.1  # seconds between two probes
FAILURES = 3


async def drained(service: Service, load: Load) -> None:
    """Probe until the instance is out, then send it nothing more."""
    failures = 0
    while failures < FAILURES:
        ready = False
        with suppress(httpx.TransportError):
            ready = (await service.client.get("/readyz")).status_code == 200
        failures = 0 if ready else failures + 1
        await asyncio.sleep(INTERVAL)
    await load.rate(0)


class Gone(NamedTuple):
    """How an instance went: its load, its exit code, when it was told to and how long it took."""

    records: Records
    code: int
    began: float
    seconds: float


async def terminated(stage: Stage, service: Service, load: Load, fault: str, limit: float) -> Gone:
    """SIGTERM to an instance under load, which the load balancer then takes out.

    Args:
        fault: how the picture calls it.
        limit: seconds until it must be gone.
    """
    with stage.fault(fault):
        service.process.signal()
        began = time.monotonic()
        await drained(service, load)
        records = await stage.end(load)
        code = await service.process.ended(limit)
    return Gone(records, code, began, time.monotonic() - began)
