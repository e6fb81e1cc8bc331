"""`python -m tools.drill`: hold the drills. Run in the service's folder."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from .drills import every_drill
from .running import hold_all

cli = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@cli.command()
def drill(
    names: Annotated[list[str] | None, typer.Argument(help="which; none: all of them")] = None,
    short: Annotated[bool, typer.Option(help="seconds each; figures of time not judged")] = False,
    out: Annotated[Path, typer.Option(help="where the report goes")] = Path("build/drill"),
) -> None:
    """Break something, and say which promises held."""
    if sys.platform != "linux":
        raise typer.BadParameter("drills need Linux: they pin cores, read /proc and size pipes")
    known = {drill.name: drill for drill in every_drill()}
    if unknown := [name for name in names or () if name not in known]:
        raise typer.BadParameter(f"{unknown[0]}: the drills are {', '.join(known)}")
    picked = [known[name] for name in names or known]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        kept = runner.run(hold_all(picked, out, short=short))
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    cli(prog_name="python -m tools.drill")
