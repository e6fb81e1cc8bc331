"""FastAPI-fastkit: its minimal preset with OpenTelemetry, where it does wire it in.

Its default preset, domain-starter, lists OpenTelemetry's packages and leaves `main.py` as it is.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from .peer import WORK, Peer, Sinks, edit, run_tool

ANSWERS = {
    "project_name": "peer",
    "author": "Bench",
    "author_email": "bench@example.com",
    "description": "A peer",
    "architecture_preset": "minimal",
    "monitoring": "OpenTelemetry",
    "package_manager": "uv",
}


def write(tool: Path, into: Path) -> Path:
    """`fastkit init --config`; it asks once whether it may make a folder."""
    into.joinpath("answers.json").write_text(json.dumps(ANSWERS), encoding="utf-8")
    options = ["--config", "answers.json", "--no-venv", "--no-install", "-y"]
    run_tool([str(tool / "fastkit"), "init", *options], into, answers="y\n")
    return into / "peer"


def join(project: Path) -> None:
    """A router, at the mark that the tool leaves for them."""
    shutil.copy(WORK, project / "src" / "bench.py")
    main, mark = project / "src" / "main.py", "# fastkit:routes\n"
    include = "app.include_router(bench_router)\n"
    edit(main, mark, f"{mark}{include}")
    imports = "# fastkit:imports\n"
    edit(main, imports, f"{imports}from src.bench import router as bench_router\n")


def command(port: int) -> Sequence[str]:
    """Its script's uvicorn, without `--reload`."""
    return ["-m", "uvicorn", "src.main:app", "--host", "127.0.0.1", "--port", str(port)]


def env(port: int, sinks: Sinks) -> Mapping[str, str]:
    """Where the traces go."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": sinks.http}


PEER = Peer(
    name="FastAPI-fastkit, OpenTelemetry",
    generator="FastAPI-fastkit 1.5.1",
    tool="fastkit-tool",
    pins="fastkit",
    write=write,
    join=join,
    command=command,
    env=env,
    observes="uvicorn's line per request, all traces exported by OTLP",
    server="its own start: uvicorn with asyncio and h11 (it requires plain uvicorn), 1 worker",
)
