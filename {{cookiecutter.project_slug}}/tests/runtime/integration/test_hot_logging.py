"""What is logged, and how long a request may take, change while the service answers."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from ...support.serving import Served, served
from ...support.sources import document, state

TOKEN = "a-token-of-the-operators"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("hot")
    first = state("centre", document("1", "log: {level: warning}"))
    async with served(folder, [first], management={"token": TOKEN}) as it:
        yield it


def become(running: Served, revision: str, text: str) -> None:
    """What the configuration centre holds now."""
    running.config.offer("centre", document(revision, text))


async def asked(running: Served, path: str = "/api/version") -> int:
    """How many records of requests an answered request leaves."""
    running.records.lines.clear()
    await running.client.get(path)
    return len(running.records.of("request"))


async def test_levels_follow(running: Served) -> None:
    assert await asked(running) == 0
    become(running, "2", "log: {level: error, levels: {access: info, lab.library: debug}}")
    assert await asked(running) == 1
    assert logging.getLogger("lab.library.part").isEnabledFor(logging.DEBUG)
    become(running, "3", "log: {level: error}")
    assert await asked(running) == 0
    assert not logging.getLogger("lab.library.part").isEnabledFor(logging.DEBUG)


async def test_sampling_follows(running: Served) -> None:
    become(running, "2", "log: {sample_rate: 0}")
    assert await asked(running) == 0
    become(running, "3", "log: {sample_rate: 0, key_route_rate: 1, key_routes: [GET /api/version]}")
    assert await asked(running) == 1
    assert await asked(running, "/api/nothing") == 0
    become(running, "4", "log: {sample_rate: 0, slow_request: 0.000001}")
    assert await asked(running) == 1


async def test_deadlines_follow(running: Served) -> None:
    async def slow() -> None:
        await asyncio.sleep(60)

    running.service.api.router.add_api_route("/api/lab/slow", slow)
    become(running, "2", "http: {request_timeout: 0.05}")
    async with asyncio.timeout(4):  # not the default, and not the 60 s
        assert (await running.client.get("/api/lab/slow")).status_code == 504


async def test_a_refused_change_changes_none_of_it(running: Served) -> None:
    become(running, "2", "log: {levels: {access: loud}, sample_rate: 0}")
    report = (await running.ops.get("/loggers/access")).json()
    assert (report["level"], report["settings"]) == ("warning", "warning")


async def test_a_level_that_an_operator_holds_outlasts_a_change(running: Served) -> None:
    held = {"level": "info", "seconds": 60}
    await running.ops.put("/loggers/access", json=held, headers=OPERATOR)
    assert await asked(running) == 1
    become(running, "2", "log: {level: error}")
    assert await asked(running) == 1
    released = await running.ops.delete("/loggers/access", headers=OPERATOR)
    assert released.json()["level"] == "error"  # what the settings say by now
    assert await asked(running) == 0
