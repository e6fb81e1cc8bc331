"""The telemetry collector accepts spans and never answers."""

import asyncio
import time

from ..ledger import nothing_lost
from ..processes import HOST
from ..proxy import proxy
from ..records import Kind
from ..stage import Drill, Stage

CLOSE = 2.0  # seconds


async def run(stage: Stage) -> None:
    collector = await asyncio.start_server(_collect, HOST, 0)
    async with collector, proxy(collector.sockets[0].getsockname()[1]) as way:
        others = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{HOST}:{way.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        settings = {"TRACING__SAMPLE_RATIO": "1", "HTTP__CLOSE_TIMEOUT": f"{CLOSE}"}
        async with (
            stage.world(settings, others=others) as world,
            world.serving() as service,
            stage.load(world, rate=stage.either(100, 50)) as load,
        ):
            before = await stage.steady("before", 8, 2)
            with stage.fault("the collector never answers") as fault:
                way.silent = True
                await stage.steady("hung", 12, 3)
            records = await stage.end(load)
            await nothing_lost(stage, world, records)
            began = time.monotonic()
            code = await service.stop(60)
            seconds = time.monotonic() - began

        card = stage.card
        card.at_least("exports reached the collector before", way.accepted, 1)
        card.none("requests that fail", records.where(lambda one: one.kind is not Kind.OK))
        stage.unaffected(
            records.between(before.begin, before.end), records.between(fault.begin, fault.end)
        )
        card.at_most("gone after, drain and close_timeout and 2 s", seconds, 1 + CLOSE + 2, "s")
        card.holds("exit code", code == 0, code, 0)


async def _collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers every export: 200, nothing to say."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(
                line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
            )
            await reader.readexactly(int(length.split(b":")[1]))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


DRILL = Drill("hung-telemetry", "the telemetry collector never answers", run)
