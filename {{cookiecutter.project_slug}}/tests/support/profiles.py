"""Taking profiles of a service that is served in this process."""

import asyncio
from typing import Any

import httpx

from .management import OPERATOR
from .process import LIMIT

PROFILES = "/debug/profiles"


def ask(ops: httpx.AsyncClient, **wanted: Any) -> "asyncio.Future[httpx.Response]":
    """Ask for a profile; it is under way. Counting all that tests have made takes its time."""
    post = ops.post(PROFILES, json=wanted, headers=OPERATOR, timeout=4 * LIMIT)
    return asyncio.ensure_future(post)


async def finished(asking: "asyncio.Future[httpx.Response]") -> dict[str, Any]:
    answer = await asking
    assert answer.status_code == 201, answer.text
    profile: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{PROFILES}/{profile['id']}"
    return profile


async def report(ops: httpx.AsyncClient) -> dict[str, Any]:
    content: dict[str, Any] = (await ops.get(PROFILES)).json()
    return content


async def begun(ops: httpx.AsyncClient) -> dict[str, Any]:
    """What runs, when it does."""
    async with asyncio.timeout(LIMIT):
        while (now := (await report(ops))["running"]) is None:
            await asyncio.sleep(0.01)
    runs: dict[str, Any] = now
    return runs
