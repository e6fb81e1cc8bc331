"""The commands with a centre: whatever ends them, it is one line or none."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from .....support.etcd import EtcdServer
from .....support.process import LIMIT, command, environment, until, watching


def settings_of(etcd: EtcdServer, folder: Path) -> dict[str, str]:
    """A service that follows it."""
    return environment(folder, CONFIG__SOURCE=f"etcd://{etcd.host}/orders")


async def test_a_start_that_fails_says_why_and_nothing_else(
    etcd: EtcdServer, tmp_path: Path
) -> None:
    env = settings_of(etcd, tmp_path)
    port = int(env["APP_HTTP__PORT"])
    with socket.create_server(("127.0.0.1", port)):
        done = await asyncio.to_thread(command, "serve", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: 127.0.0.1:{port} is in use")


@pytest.mark.parametrize("word", ["check", "migrate"])
async def test_a_command_that_ends_leaves_nothing_open(
    etcd: EtcdServer, tmp_path: Path, word: str
) -> None:
    done = await asyncio.to_thread(command, word, env=settings_of(etcd, tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


async def test_watching_ends_in_silence(etcd: EtcdServer, tmp_path: Path) -> None:
    log = tmp_path / "watch.log"
    with watching(tmp_path, CONFIG__SOURCE=f"etcd://{etcd.host}/orders") as process:
        await until(lambda: "watching etcd" in log.read_text())
        await etcd.put("orders/log/level", "debug")
        await until(lambda: "APP_LOG__LEVEL: info -> debug" in log.read_text())
        os.kill(process.pid, signal.SIGINT)
        assert await asyncio.to_thread(process.wait, LIMIT) == 0
    assert log.read_text().endswith("  APP_LOG__LEVEL: info -> debug\n")
