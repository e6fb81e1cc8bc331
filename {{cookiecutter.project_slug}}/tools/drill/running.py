"""Holds drills one after the other, each within its limit, and leaves nothing running."""

import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from ..package import groups
from .postgres import Postgres, installed, postgres
from .processes import DrillError
from .promises import Scorecard
from .report import Report, table
from .service import environment, migrate
from .stage import Drill, Stage


async def hold(drill: Drill, stage: Stage, limit: float) -> None:
    """One drill; that it could not be held is a line of its scorecard."""
    try:
        async with asyncio.timeout(limit):
            await drill.run(stage)
    except TimeoutError:
        stage.card.invalid("held within its limit", f"given up after {limit:g} s")
    except DrillError as exc:
        stage.card.invalid("held to its end", str(exc))
    except Exception as exc:  # noqa: BLE001 - the other drills are still to be held
        stage.card.invalid("held to its end", f"{type(exc).__name__}: {exc}")


async def hold_all(drills: Sequence[Drill], out: Path, *, short: bool) -> bool:
    """All of them, with the report in `out`; whether every promise was kept."""
    _end_with(asyncio.current_task())
    report = Report(out)
    cards = []
    async with _server() as (server, template):
        for drill in drills:
            card = Scorecard(drill.name, short)
            cards.append(card)
            began = time.monotonic()
            with tempfile.TemporaryDirectory(prefix=f"drill-{drill.name}-") as folder:
                stage = Stage(card, Path(folder), short, server, template)
                print(f"{drill.name}: {drill.story}", file=sys.stderr, flush=True)
                if reason := drill.missing(server):
                    card.skipped(reason)
                else:
                    await hold(drill, stage, drill.limit)
                if card.failed:
                    report.keep(card, Path(folder))
                report.add(card, drill.story, stage.pictures)
            took = time.monotonic() - began
            word = "FAILED" if card.failed else "done"
            print(f"{drill.name}: {word}, {took:.0f} s", file=sys.stderr, flush=True)
    print(table(cards, colours=sys.stdout.isatty()))
    print(f"\n{out / 'index.html'} has the pictures, {out / 'results.json'} the figures.")
    return not any(card.failed for card in cards)


@asynccontextmanager
async def _server() -> AsyncIterator[tuple[Postgres | None, str]]:
    """A PostgreSQL server with a migrated database to copy, where that is possible."""
    if "database" not in groups() or not installed():
        yield None, ""
        return
    with tempfile.TemporaryDirectory(prefix="drill-migrate-") as folder:
        async with postgres() as server:
            template = await server.fresh()
            url = {"DATABASE__URL": server.url(template), "ENVIRONMENT": "development"}
            await migrate(environment(url, {}), Path(folder))
            yield server, template


def _end_with(task: "asyncio.Task[object] | None") -> None:
    """SIGTERM ends a run as Ctrl-C does: everything that was started is killed first."""
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
