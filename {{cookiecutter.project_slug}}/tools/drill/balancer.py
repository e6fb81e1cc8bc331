"""A load balancer: it probes, and takes an instance out after failures in a row."""

import asyncio
from contextlib import suppress

import httpx

from .load import Load
from .service import Service

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
