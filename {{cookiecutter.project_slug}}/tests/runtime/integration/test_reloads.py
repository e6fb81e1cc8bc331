"""A running service follows its files; the command line shows changes and sets values."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from ...support.process import (
    LIMIT,
    Process,
    command,
    environment,
    serving,
    until,
    watching,
)

SECRET = "hunter2hunter2hunter2"


def write(path: Path, text: str) -> None:
    """As a deployment does: replaced, never half done."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.replace(path)


async def page(process: Process) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=process.ops_url) as client:
        found: dict[str, Any] = (await client.get("/config")).json()
    return found


async def reached(process: Process, version: int) -> dict[str, Any]:
    """The page, once this version is in force."""
    async with asyncio.timeout(LIMIT):
        while (found := await page(process))["version"] < version:
            await asyncio.sleep(0.02)
    return found


async def statuses(process: Process) -> list[int]:
    async with process.client() as client:
        return [(await client.get("/api/version")).status_code for _ in range(3)]


async def test_a_file_and_a_mounted_configmap_are_followed(tmp_path: Path) -> None:
    file, mounted = tmp_path / "settings.yaml", tmp_path / "mounted"
    write(file, "rate_limit: {limit: 2/hour}\n")
    for number, level in enumerate(("info", "debug")):
        mounted.joinpath(f"..{number}").mkdir(parents=True)
        mounted.joinpath(f"..{number}", "log.level").write_text(f"{level}\n")
    mounted.joinpath("..data").symlink_to("..0")
    mounted.joinpath("log.level").symlink_to("..data/log.level")
    sources = {"CONFIG__FILE": str(file), "CONFIG__DIRECTORIES": f'["{mounted}"]'}
    with serving(tmp_path, **sources) as process:
        # The probe of the start was free; two requests are within the rate.
        assert await statuses(process) == [200, 200, 429]
        write(file, "rate_limit: {limit: ''}\n")
        await reached(process, 2)
        assert await statuses(process) == [200, 200, 200]
        mounted.joinpath("..data_tmp").symlink_to("..1")
        mounted.joinpath("..data_tmp").replace(mounted / "..data")
        found = await reached(process, 3)
        assert found["settings"]["APP_LOG__LEVEL"]["source"] == f"directory {mounted}"
        write(file, "rate_limit: {limit: nonsense}\n")
        await until(lambda: bool(process.of("configuration refused")))
        assert (await page(process))["status"] == "degraded"
        assert await statuses(process) == [200, 200, 200]
        file.unlink()
        await until(lambda: bool(process.of("configuration source lost")))
        write(file, "http: {keep_alive: 5}\n")
        await until(lambda: bool(process.of("configuration needs a restart")))
        found = await page(process)
        assert (found["status"], found["version"]) == ("ok", 3)
        process.signal(signal.SIGTERM)
        assert await process.ended() == 0


async def test_arguments_are_above_the_environment(tmp_path: Path) -> None:
    env = environment(tmp_path, LOG__LEVEL="error")
    done = command("check", "--set", "log.level=debug", "--set", "APP_HTTP__GRACE=3000", env=env)
    assert done.returncode == 0, done.stderr
    assert "APP_LOG__LEVEL=debug  # arguments\n" in done.stdout
    assert "APP_HTTP__GRACE=3000.0  # arguments\n" in done.stdout


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("log.level=loud", "error: APP_LOG__LEVEL: Input should be "),
        ("log.lvl=info", "error: --set APP_LOG__LVL: no such setting, did you mean APP_LOG__"),
        ("logs.level=info", "error: --set APP_LOGS__LEVEL: no such setting, did you mean "),
        ("log.level", "error: --set log.level: takes NAME=VALUE"),
    ],
)
@pytest.mark.parametrize("verb", ["serve", "check"])
def test_a_bad_argument_is_one_line(tmp_path: Path, verb: str, word: str, said: str) -> None:
    done = command(verb, "--set", word, env=environment(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(said)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    env = environment(tmp_path, CONFIG__FILE=str(tmp_path / "none.yaml"))
    done = command("serve", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line == f"error: {tmp_path}/none.yaml: No such file or directory"


async def test_check_shows_changes_as_they_come(tmp_path: Path) -> None:
    file, log = tmp_path / "settings.yaml", tmp_path / "watch.log"
    write(file, "log: {level: error}\n")

    def printed() -> str:
        return log.read_text()

    with watching(tmp_path, CONFIG__FILE=str(file)) as process:
        await until(lambda: f"watching file ({file})" in printed())
        assert "APP_LOG__LEVEL=error  # file\n" in printed()
        write(file, f"management:\n  token: {SECRET}\nhttp: {'{keep_alive: 3}'}\n")
        await until(lambda: "APP_HTTP__KEEP_ALIVE needs a restart" in printed())
        assert "  APP_LOG__LEVEL: error -> info\n" in printed()
        assert "  APP_MANAGEMENT__TOKEN:  -> ***\n" in printed()
        write(file, "log: {level: loud}\n")
        await until(lambda: " refused: file revision " in printed())
        assert SECRET not in printed()
        os.kill(process.pid, signal.SIGINT)
        assert await asyncio.to_thread(process.wait, LIMIT) == 0
        assert "Traceback" not in printed()


async def test_a_start_without_the_centre_is_stale_until_it_comes(tmp_path: Path) -> None:
    file = tmp_path / "centre.yaml"
    settings = {"CONFIG__SOURCE": f"file://{file}", "CONFIG__START_TIMEOUT": "0.2"}
    done = command("serve", env=environment(tmp_path, **settings, CONFIG__REQUIRED="true"))
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: APP_CONFIG__SOURCE: {file}: No such file")
    assert line.endswith("(APP_CONFIG__REQUIRED is true)")
    with serving(tmp_path, **settings) as process:
        assert (await page(process))["status"] == "stale"
        assert "warning: source: " in process.errors()
        write(file, "log: {story_size: 8}\n")
        found = await reached(process, 2)
        assert found["settings"]["APP_LOG__STORY_SIZE"]["value"] == 8
        assert found["status"] == "ok"
