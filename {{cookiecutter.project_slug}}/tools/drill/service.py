"""The service in its own process, as production runs it."""

import os
import re
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson

from ..package import PACKAGE
from .processes import HOST, START_LIMIT, DrillError, Process, free_port, python, until


class Service:
    """A running service: its ports, its log, its numbers."""

    def __init__(self, process: Process, env: Mapping[str, str], log: Path) -> None:
        self.process = process
        self.port = int(env["APP_HTTP__PORT"])
        self._log = log
        ops_port = env["APP_MANAGEMENT__PORT"]
        self.client = httpx.AsyncClient(base_url=f"http://{HOST}:{self.port}", timeout=5)
        self.ops = httpx.AsyncClient(base_url=f"http://{HOST}:{ops_port}", timeout=5)

    async def ready(self) -> bool:
        """What its readiness probe says; an end of the process is an error."""
        if not self.process.alive:
            code = self.process.process.returncode
            raise DrillError(f"the service ended with {code}: {self.process.errors()}")
        try:
            return (await self.client.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that carry these labels."""
        text = (await self.ops.get("/metrics")).text
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        samples = re.findall("^" + name + r"(?:\{(.*)\})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for found, value in samples if all(w in found for w in wanted))

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The records of one event."""
        whole = self._log.read_bytes().rpartition(b"\n")[0]
        records = (orjson.loads(line) for line in whole.splitlines())
        return [record for record in records if record["event"] == event]

    async def stop(self, limit: float) -> int:
        """SIGTERM, as a rollout does; the exit code."""
        self.process.signal(signal.SIGTERM)
        return await self.process.ended(limit)

    async def close(self) -> None:
        await self.client.aclose()
        await self.ops.aclose()


def environment(settings: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Free ports and what production has; `settings` by `HTTP__GRACE` and the like."""
    defaults = {
        "ENVIRONMENT": "production",
        "HTTP__HOST": HOST,
        "HTTP__PORT": str(free_port()),
        "HTTP__DRAIN_DELAY": "1",
        "MANAGEMENT__HOST": HOST,
        "MANAGEMENT__PORT": str(free_port()),
        "MANAGEMENT__TOKEN": "drill-token-0123456789",
    }
    ours = {f"APP_{name}": value for name, value in (defaults | dict(settings)).items()}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("APP_", "OTEL_"))}
    return inherited | ours | dict(others)


async def migrate(env: Mapping[str, str], folder: Path) -> None:
    """Bring the store of these settings to the newest schema."""
    async with python("migrate", "-m", PACKAGE, "migrate", folder=folder, env=env) as process:
        if await process.ended(START_LIMIT):
            raise DrillError(f"migrate failed: {process.errors()}")


@asynccontextmanager
async def serving(
    env: Mapping[str, str],
    folder: Path,
    *,
    words: tuple[str, ...] = ("-m", PACKAGE, "serve"),
    stdout: int | None = None,
    core: int | None = None,
) -> AsyncIterator[Service]:
    """A service that is ready.

    Args:
        words: what to run instead of the service's command line.
        stdout: where its log goes instead of a file.
        core: where it has to run.
    """
    running = python("service", *words, folder=folder, env=env, core=core, stdout=stdout)
    async with running as process:
        service = Service(process, env, folder / "service.log")
        try:
            await until(service.ready, START_LIMIT, "the service is ready")
            yield service
        finally:
            await service.close()


async def token(issuer: str) -> str:
    """What a caller shows who may do everything."""
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{issuer}/token", json={"scope": "orders:read orders:write"})
    found: str = answer.raise_for_status().json()["access_token"]
    return found
