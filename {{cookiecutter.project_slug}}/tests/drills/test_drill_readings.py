"""What a drill reads of `/config`, all the time."""

import math
from pathlib import Path

from tools.drill.readings import reading

from ..support.process import LIMIT
from ..support.serving import served
from ..support.sources import document, state

SETTING = "APP_LOG__LEVEL"


async def test_every_change_and_refusal_is_seen(tmp_path: Path) -> None:
    first = state("centre", document("1", "log: {level: warning}"))
    async with served(tmp_path, [first]) as it, reading(it.ops, SETTING) as readings:
        await readings.until(lambda one: one.value == "warning", LIMIT)
        it.config.offer("centre", document("2", "log: {level: error}"))
        await readings.until(lambda one: one.value == "error", LIMIT)
        it.config.offer("centre", document("3", "log: {level: loud}"))
        await readings.until(lambda one: one.refused > 0, LIMIT)
    assert [one.value for one in readings.all if one.refused] == ["error"]
    assert {(one.value, one.status, one.refused) for one in readings.all} == {
        ("warning", "ok", 0),
        ("error", "ok", 0),
        ("error", "degraded", 1),
    }
    assert all(one.asked < one.answered for one in readings.all)


async def test_no_answer_is_a_reading_too(tmp_path: Path) -> None:
    async with served(tmp_path) as it:
        ops = it.ops
        async with reading(ops, SETTING) as readings:
            await readings.until(lambda one: one.value == "info", LIMIT)
            ops.base_url = ops.base_url.copy_with(port=1)
            seen = await readings.until(lambda one: one.value is None, LIMIT)
            assert seen < math.inf
            assert "ConnectError" in readings.all[-1].status


async def test_what_never_comes_is_infinitely_late(tmp_path: Path) -> None:
    async with served(tmp_path) as it, reading(it.ops, SETTING) as readings:
        assert await readings.until(lambda one: one.value == "loud", 0.2) == math.inf
