"""A load on the service: starts the generator, changes its rate, reads what it recorded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import orjson

from .processes import LOAD_CORE, DrillError, Process, python
from .records import Records
from .traffic import Plan

END_LIMIT = 60.0  # seconds that the last requests may take, above any patience


class Load:
    """A running generator."""

    def __init__(self, process: Process, plan: Plan) -> None:
        self.process = process
        self._plan = plan
        self._records: Records | None = None

    async def _tell(self, content: object) -> None:
        stdin = self.process.process.stdin
        assert stdin is not None
        stdin.write(orjson.dumps(content, default=dict, option=orjson.OPT_APPEND_NEWLINE))
        await stdin.drain()

    async def start(self) -> None:
        await self._tell(self._plan)

    async def rate(self, rate: float) -> None:
        """Requests per second from now on; 0 pauses."""
        await self._tell({"rate": rate})

    async def stop(self) -> Records:
        """Send no more, wait for what is under way; everything that was recorded."""
        if self._records is None:
            stdin = self.process.process.stdin
            assert stdin is not None
            stdin.close()
            if await self.process.ended(END_LIMIT):
                raise DrillError(f"the load generator failed: {self.process.errors()}")
            self._records = await asyncio.to_thread(Records.read, Path(self._plan.records))
        return self._records


@asynccontextmanager
async def loading(plan: Plan, folder: Path) -> AsyncIterator[Load]:
    """Run a plan until it is stopped; on a core of its own where there is one."""
    async with python(
        "generator", "-m", "tools.drill.generator", folder=folder, stdin=asyncio.subprocess.PIPE
    ) as process:
        load = Load(process, replace(plan, core=LOAD_CORE))
        await load.start()
        yield load
