"""Settings and their changes in lines for a terminal; secrets are masked."""

import asyncio
import sys
import time
from typing import Any

from .configuration import Configuration
from .journal import Entry
from .problems import origin
from .tree import values, variable
from .watching import followers


def print_settings(config: Configuration[Any]) -> None:
    """Every setting as its variable, with the source where it is not the environment's."""
    now = config.snapshots.current
    for path, value in values(now.settings):
        layer = origin(now.origins, path)
        suffix = "" if layer in ("default", "environment") else f"  # {layer}"
        print(f"{variable(path)}={value}{suffix}")


async def print_changes(config: Configuration[Any]) -> None:
    """Follow the sources and print what comes of each change, until it is cancelled."""
    config.journal.listen(_print)
    names = ", ".join(f"{n} ({s.source.where})" for n, s in config.states.items())
    print(f"\nwatching {names or 'nothing: no source is set'}", file=sys.stderr, flush=True)
    async with asyncio.TaskGroup() as group:
        for name, work in followers(config, config.settings.config):
            group.create_task(work, name=name)


def _print(entry: Entry) -> None:
    at = time.strftime("%H:%M:%S", time.localtime(entry.at))
    revision = f" revision {entry.revision}" if entry.revision else ""
    version = f", version {entry.version}" if entry.version else ""
    print(f"{at} {entry.outcome}: {entry.source}{revision}{version}")
    for name, (before, after) in entry.changes.items():
        print(f"  {name}: {before} -> {after}")
    for reason in entry.reasons:
        print(f"  {reason}")
    sys.stdout.flush()
