"""What a stage measured, kept as JSON under build/, so that the page can be written from it."""

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import service

FOLDER = service.BUILD / "results"


@dataclass(frozen=True, slots=True)
class Result:
    """One run of one stage.

    Attributes:
        stage: its name, which is its file's as well.
        at: when it ended, in UTC, to the minute.
        machine: processor, cores, memory, system, Python.
        quick: with fewer and shorter rounds.
        data: what the stage's own module wrote.
    """

    stage: str
    at: str
    machine: dict[str, str]
    quick: bool
    data: Any


def save(stage: str, data: Any, *, quick: bool) -> None:
    """Keep it in the place of the run before."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    result = Result(stage, now, machine(), quick, data)
    text = json.dumps(asdict(result), indent=1)
    FOLDER.joinpath(f"{stage}.json").write_text(f"{text}\n", encoding="utf-8")


def load(stage: str, folder: Path = FOLDER) -> Result | None:
    """The last run of a stage, if there was one."""
    file = folder / f"{stage}.json"
    if not file.exists():
        return None
    return Result(**json.loads(file.read_text(encoding="utf-8")))


def machine() -> dict[str, str]:
    """What the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[2]:.1f} in the last 15 minutes",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
