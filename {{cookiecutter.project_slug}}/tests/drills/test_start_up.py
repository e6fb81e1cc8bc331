"""A rollout that changes its mind: SIGTERM before the service has started."""

import asyncio
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ..support.process import Process, starting, until


async def _ends_promptly(process: Process) -> int:
    began = time.monotonic()
    process.signal()
    code = await process.ended()
    assert time.monotonic() - began < 5
    assert "Traceback" not in process.errors()
    return code


# Not an event to wait for: any moment must do, and these fall into different ones.
@pytest.mark.parametrize("moment", [0.05, 0.3, 0.6])
async def test_a_signal_during_start_up(tmp_path: Path, moment: float) -> None:
    with starting(tmp_path) as process:
        await asyncio.sleep(moment)
        # Until our own handler is in place the signal's default effect ends the process.
        assert await _ends_promptly(process) in (0, 1, -signal.SIGTERM)


async def test_a_signal_between_listening_and_serving(tmp_path: Path) -> None:
    with starting(tmp_path) as process:
        host, port = process.url.removeprefix("http://").split(":")

        def listens() -> bool:
            with suppress(ConnectionRefusedError):
                socket.create_connection((host, int(port))).close()
                return True
            return False

        await until(listens)
        code = await _ends_promptly(process)
        said = process.of("interrupted") if code == 1 else process.of("stopped")
        assert code in (0, 1)
        assert len(said) == 1
