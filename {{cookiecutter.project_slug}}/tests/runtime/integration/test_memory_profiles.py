"""Memory profiles of a real service in which a leak was planted: it is found by name."""

import asyncio
import contextlib
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ...support.process import until
from ...support.serving import Served, served

TOKEN = "a-token-of-the-operators"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SIZE = 40_000  # bytes
PATIENCE = 60  # seconds; counting all objects of a test run takes its time


class Crate:
    """What is left behind."""

    def __init__(self) -> None:
        self.load = bytes(SIZE)


class Warehouse:
    """One endpoint keeps what it makes, the other lets it go."""

    def __init__(self) -> None:
        self.kept: list[Crate] = []

    async def leak(self) -> None:
        self.kept.append(Crate())

    async def use(self) -> int:
        crate = Crate()
        await asyncio.sleep(0)
        return len(crate.load)


@pytest.fixture
async def running(tmp_path: Any) -> AsyncIterator[tuple[Served, Warehouse]]:
    async with served(tmp_path, management={"token": TOKEN}) as it:
        warehouse = Warehouse()
        for name in ("leak", "use"):
            endpoint = getattr(warehouse, name)
            it.service.api.router.add_api_route(f"/api/lab/{name}", endpoint)
        yield it, warehouse


async def take(running: Served, **asked: Any) -> dict[str, Any]:
    """Take a profile while callers use both endpoints."""
    asking = asyncio.ensure_future(
        running.ops.post("/debug/profiles", json=asked, headers=HEADERS, timeout=PATIENCE)
    )
    while not asking.done():
        for name in ("leak", "use"):
            assert (await running.client.get(f"/api/lab/{name}", timeout=PATIENCE)).is_success
    answer = await asking
    assert answer.status_code == 201, answer.text
    profile: dict[str, Any] = answer.json()
    return profile


def lines_of(method: Any) -> range:
    """Where in this file it stands."""
    lines = [line for _, _, line in method.__code__.co_lines() if line]
    return range(min(lines), max(lines) + 1)


async def test_growth_names_the_function_that_leaks(running: tuple[Served, Warehouse]) -> None:
    service, warehouse = running
    profile = await take(service, kind="growth", seconds=1)
    first, *others = profile["top"]
    file, line = first["where"].rsplit(":", 1)
    assert first["name"] == "Crate.__init__"
    assert file.endswith("test_memory_profiles.py")
    assert int(line) in lines_of(Crate.__init__)
    assert first["unit"] == "bytes"
    assert first["count"] > 1
    assert first["value"] > first["count"] * SIZE * 0.9
    assert first["share"] > sum(other["share"] for other in others)
    # Who leaks is whoever called for it, and who let go is not among them.
    collapsed = (await service.ops.get(profile["links"]["collapsed"])).text
    crates = [text for text in collapsed.splitlines() if "in Crate.__init__" in text]
    kept = sum(float(text.rsplit(" ", 1)[1]) for text in crates if "in Warehouse.leak" in text)
    freed = sum(float(text.rsplit(" ", 1)[1]) for text in crates if "in Warehouse.use" in text)
    assert freed <= 1.1 * SIZE < kept
    grown = {one["name"]: one["more"] for one in profile["types"]}
    assert 0 < grown[f"{Crate.__module__}.Crate"] <= len(warehouse.kept)


async def test_growth_says_what_it_cost_and_ends(running: tuple[Served, Warehouse]) -> None:
    service, _ = running
    profile = await take(service, kind="growth", seconds=0.2)
    assert not tracemalloc.is_tracing()
    cost = profile["cost"]
    assert "four times" in cost["text"]
    assert 0 < cost["pause_ms"] <= cost["overhead_ms"]
    assert cost["tracing_mib"] > 0


async def test_growth_ends_when_the_caller_leaves(running: tuple[Served, Warehouse]) -> None:
    service, _ = running
    asked = {"kind": "growth", "seconds": 30}
    asking = asyncio.ensure_future(
        service.ops.post("/debug/profiles", json=asked, headers=HEADERS, timeout=PATIENCE)
    )
    await until(tracemalloc.is_tracing)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    await until(lambda: not tracemalloc.is_tracing())


async def test_heap_counts_what_is_left_behind(running: tuple[Served, Warehouse]) -> None:
    service, warehouse = running
    for _ in range(200):
        warehouse.kept.append(Crate())
    profile = await take(service, kind="heap")
    name = f"{Crate.__module__}.Crate"
    by_name = {one["name"]: one for one in profile["top"]}
    assert by_name["bytes"]["value"] >= 200 * SIZE
    assert by_name["bytes"]["where"] == "builtins"
    collapsed = (await service.ops.get(profile["links"]["collapsed"])).text
    assert name in collapsed
    assert profile["cost"]["list_ms"] > 0
    assert profile["cost"]["pause_ms"] <= profile["cost"]["overhead_ms"]
    assert profile["samples"] > 200
