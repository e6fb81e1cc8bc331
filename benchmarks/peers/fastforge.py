"""fastforge-cli: the observable preset, without its database and cache."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from .peer import WORK, Peer, Sinks, edit, run_tool

ANSWERS = {
    "project_slug": "peer",
    "package_name": "peer",
    "description": "A peer",
    "model_name": "item",
    "use_case": "observable_api",
    "kind": "standalone",
    "database": "none",
    "cache": "none",
    "streaming": "none",
    "secrets": "none",
    "logging": "structlog",
    "log_format": "json",
    "log_connector": "stdout",
    "log_agent": "none",
    "log_target": "none",
    "quality_gate": "none",
    "docker": "yes",
    "docker_debug": "no",
    "precommit": "no",
    "observability": "enabled",
}


def write(tool: Path, into: Path) -> Path:
    """`fastforge new --from-file`."""
    into.joinpath("answers.fastforge.json").write_text(json.dumps(ANSWERS), encoding="utf-8")
    run_tool([str(tool / "fastforge"), "new", "--from-file", "answers.fastforge.json"], into)
    return into / "peer"


def join(project: Path) -> None:
    """A router beside that of the items."""
    shutil.copy(WORK, project / "app" / "api" / "routes" / "bench.py")
    main = project / "app" / "main.py"
    items = "from app.api.routes.items import router as item_router\n"
    edit(main, items, f"from app.api.routes.bench import router as bench_router\n{items}")
    include = "    app.include_router(item_router)\n"
    edit(main, include, f"{include}    app.include_router(bench_router)\n")


def command(port: int) -> Sequence[str]:
    """As its Dockerfile, on the loopback interface."""
    where = ["--host", "127.0.0.1", "--port", str(port)]
    return ["-m", "uvicorn", "app.main:app", *where, "--log-level", "info"]


def env(port: int, sinks: Sinks) -> Mapping[str, str]:
    """As its `.env.production`, with the traces that it has a switch for."""
    return {
        "APP_ENV": "production",
        "OTEL_ENABLED": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": sinks.grpc,
    }


PEER = Peer(
    name="fastforge, observable",
    generator="fastforge-cli 0.3.0",
    tool="fastforge-tool",
    pins="fastforge",
    write=write,
    join=join,
    command=command,
    env=env,
    observes="two structlog records per request, all traces exported by OTLP; its Prometheus"
    " metrics count no requests as generated",
    server="its own start: uvicorn with uvloop and httptools, 1 worker",
)
