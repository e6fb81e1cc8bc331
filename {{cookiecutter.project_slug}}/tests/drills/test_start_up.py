"""A rollout that changes its mind: SIGTERM before the service has started."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from fastapi import FastAPI

from steadfast_service.app import Service
from steadfast_service.runtime.health import Health
from steadfast_service.runtime.http.server import (
    Endpoint,
    ServerOptions,
    run,
)

from ..support.process import Process, free_port, starting, until
from ..support.records import Records


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


@pytest.mark.usefixtures("signals_restored")
async def test_a_signal_ends_a_start_up_that_hangs(records: Records) -> None:
    opening, closed = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def hang() -> AsyncIterator[Service]:
        opening.set()
        try:
            await asyncio.Event().wait()
            api = FastAPI()
            yield Service(api, api, api, Health())
        finally:
            closed.set()

    front, back = (Endpoint("127.0.0.1", free_port(), "X") for _ in range(2))
    options = ServerOptions(front, back, drain_delay=300, grace=300, keep_alive=75)
    running = asyncio.create_task(run(hang, options))
    await opening.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    done, _ = await asyncio.wait({running}, timeout=5)
    running.cancel()
    assert done
    assert await running == 1
    assert closed.is_set()
    assert records.events() == ["interrupted"]
