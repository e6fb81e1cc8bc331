"""`/debug/process` and `/debug/build`: what the process has taken of the machine."""

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from steadfast_service import __version__
from steadfast_service.runtime.ops.diagnostics.resources import (
    memory_limit,
    open_files,
)

from ...support.process import LIMIT
from ...support.serving import Served, served

LEAKED = 40


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("process")) as it:
        yield it


async def state(running: Served) -> dict[str, Any]:
    found: dict[str, Any] = (await running.ops.get("/debug/process")).json()
    return found


async def test_leaked_sockets_and_files_are_seen_by_kind(running: Served, tmp_path: Path) -> None:
    def kinds(files: dict[str, Any]) -> tuple[int, int]:
        return files["kinds"]["socket"], files["kinds"]["file"]

    before = kinds((await state(running))["files"])
    sockets = [socket.socket() for _ in range(LEAKED)]
    files = [(tmp_path / str(number)).open("wb") for number in range(LEAKED)]
    try:
        async with asyncio.timeout(LIMIT):
            while True:
                found = (await state(running))["files"]
                if kinds(found)[1] >= before[1] + LEAKED:
                    break
                await asyncio.sleep(0.05)
        assert kinds(found)[0] >= before[0] + LEAKED
        assert found["open"] == sum(found["kinds"].values())
        assert found["limit"] is None or found["limit"] >= found["open"]
    finally:
        for one in sockets:
            one.close()
        for other in files:
            other.close()


async def test_a_held_loop_is_in_the_history_of_its_lag(running: Served) -> None:
    time.sleep(0.3)  # noqa: ASYNC251 - it is the loop that this test is about
    async with asyncio.timeout(LIMIT):
        while not [lag for lag in (await state(running))["loop"]["history_ms"] if lag >= 250]:
            await asyncio.sleep(0.05)
    loop = (await state(running))["loop"]
    assert loop["lag_ms"]["max_1m"] >= 250
    assert loop["lag_ms"]["p99_1m"] <= loop["lag_ms"]["max_1m"]
    assert loop["implementation"] == "uvloop"
    assert len(loop["history_ms"]) <= 60
    assert loop["tasks"] >= 1


async def test_collections_of_garbage_are_counted_with_their_pauses(running: Served) -> None:
    before = (await state(running))["gc"]["generations"][2]
    gc.collect()
    report = (await state(running))["gc"]
    after = report["generations"][2]
    assert [one["generation"] for one in report["generations"]] == [0, 1, 2]
    assert after["collections"] > before["collections"]
    assert after["pauses"] > before["pauses"]
    assert 0 < after["pause_ms_max"] <= after["pause_ms_total"]
    assert report["enabled"] == gc.isenabled()


async def test_memory_processor_and_pools_are_told(running: Served) -> None:
    found = await state(running)
    memory = found["memory"]
    assert memory["rss_mib"] is None or 10 < memory["rss_mib"] <= memory["peak_mib"]
    assert found["cpu"]["seconds"] > 0
    assert found["threads"] >= 2
    pools = {one["name"]: one for one in found["pools"]}
    limit = running.config.settings.dependencies.payments.max_concurrent
    expected = {"name": "payments", "kind": "dependency", "in_use": 0, "waiting": None}
    assert pools["payments"] == expected | {"limit": limit}
    if "database" in running.config.settings.model_dump():
        assert pools["database"]["kind"] == "database"
        assert pools["database"]["limit"] >= 1
        assert pools["database"]["waiting"] == 0


def test_the_limit_of_memory_is_read_from_the_control_group(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    assert memory_limit((limit,)) is None
    for text, expected in (("max\n", None), ("268435456\n", 2**28), (f"{2**63 - 4096}\n", None)):
        limit.write_text(text)
        assert memory_limit((tmp_path / "missing", limit)) == expected


def test_where_nothing_lists_descriptors_none_are_told(tmp_path: Path) -> None:
    found = open_files(tmp_path / "missing")
    assert (found["open"], found["kinds"]) == (None, {})


async def test_the_build_names_every_package_once(running: Served) -> None:
    build = (await running.ops.get("/debug/build")).json()
    assert build["version"] == __version__
    assert build["name"] == running.config.settings.name
    names = [one["name"].lower() for one in build["packages"]]
    assert {"fastapi", "uvicorn", "pydantic"} <= set(names)
    assert len(names) == len(set(names))
    assert build["gil"] in (True, False)
