"""`python -m tools.drill` from its start to its report."""

import asyncio
import signal
import sys
from pathlib import Path

import orjson

from ..support.process import until


async def tool(out: Path, *words: str) -> asyncio.subprocess.Process:
    line = [sys.executable, "-m", "tools.drill", "--out", str(out), *words]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*line, stdout=pipe, stderr=pipe)


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def alive(pid: str) -> bool:
    return Path("/proc", pid).exists()


async def test_a_drill_ends_in_a_scorecard_and_a_picture(tmp_path: Path) -> None:
    process = await tool(tmp_path, "sigterm-under-load", "--short")
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode() + output.decode()
    assert b"requests that fail" in output
    assert (tmp_path / "sigterm-under-load.svg").read_text().startswith("<svg")
    assert "sigterm-under-load.svg" in (tmp_path / "index.html").read_text()
    [result] = orjson.loads((tmp_path / "results.json").read_bytes())
    assert result["drill"] == "sigterm-under-load"


async def test_an_unknown_drill_is_refused(tmp_path: Path) -> None:
    process = await tool(tmp_path, "earthquake")
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert "earthquake" in errors.decode()
    assert "dependency-down" in errors.decode()


async def test_a_run_that_is_ended_leaves_nothing_running(tmp_path: Path) -> None:
    process = await tool(tmp_path, "soak", "--short")
    started: list[str] = []

    def loaded() -> bool:
        assert process.returncode is None
        started[:] = children(process.pid)
        return any(b"generator" in Path(f"/proc/{p}/cmdline").read_bytes() for p in started)

    await until(loaded)
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode != 0
    assert not [pid for pid in started if alive(pid)]
