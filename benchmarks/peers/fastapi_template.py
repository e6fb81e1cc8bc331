"""fastapi_template (s3rius): once with nothing that observes, once with all it has.

Its collector endpoint wants gRPC. Sentry is left out: without an account there is nothing that
it could send to. `SAMPLED` is the full one, told by OpenTelemetry's own variables to keep 1 %
of the traces, as the service of this template does by itself.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from .peer import WORK, Peer, Sinks, edit, run_tool

PACKAGE = "peer"
OPTIONS = ["--quiet", "--name", PACKAGE, "--api-type", "rest", "--db", "none", "--orm", "none"]
OPTIONS += ["--ci", "none", "--routers"]


def write(extra: Sequence[str], tool: Path, into: Path) -> Path:
    """`fastapi_template --quiet`; that it cannot lock its versions offline does no harm."""
    run_tool([str(tool / "fastapi_template"), *OPTIONS, *extra], into)
    return into / PACKAGE


def join(project: Path) -> None:
    """A package below `web/api`, included by the API's router, as its `echo` is."""
    api = project / PACKAGE / "web" / "api"
    api.joinpath("bench").mkdir()
    shutil.copy(WORK, api / "bench" / "__init__.py")
    router, app = api / "router.py", project / PACKAGE / "web" / "application.py"
    imported = f"from {PACKAGE}.web.api import echo\n"
    edit(router, imported, f"from {PACKAGE}.web.api import bench\n{imported}")
    echo = 'api_router.include_router(echo.router, prefix="/echo", tags=["echo"])'
    edit(router, echo, f"{echo}\napi_router.include_router(bench.router)")
    edit(app, 'api_router, prefix="/api"', "api_router")  # the paths are the same for all


def command(port: int) -> Sequence[str]:
    """As its Dockerfile."""
    return ["-m", PACKAGE]


def plain(port: int, sinks: Sinks) -> Mapping[str, str]:
    """The port, that this is production, and a folder of its own for Prometheus' files."""
    where = {"PEER_PORT": str(port), "PEER_PROMETHEUS_DIR": "prometheus"}
    return {**where, "PEER_ENVIRONMENT": "production", "PEER_RELOAD": "False"}


def exporting(port: int, sinks: Sinks) -> Mapping[str, str]:
    """Traces, metrics and logs to the collector."""
    return {**plain(port, sinks), "PEER_OPENTELEMETRY_ENDPOINT": sinks.grpc}


def sampling(port: int, sinks: Sinks) -> Mapping[str, str]:
    """The same with OpenTelemetry's own sampler at 1 %."""
    sampler = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"}
    return {**exporting(port, sinks), **sampler}


LEAN = Peer(
    name="fastapi_template, lean",
    generator="fastapi_template 6.1.2",
    tool="fastapi_template-tool",
    pins="fastapi_template-lean",
    write=partial(write, []),
    join=join,
    command=command,
    env=plain,
    observes="uvicorn's line per request",
    server="its own start: uvicorn with uvloop and httptools, 1 worker",
)
FULL = replace(
    LEAN,
    name="fastapi_template, full",
    pins="fastapi_template-full",
    write=partial(write, ["--prometheus", "--loguru", "--opentelemetry"]),
    env=exporting,
    observes="a line per request by loguru, all traces, metrics and logs exported by OTLP,"
    " Prometheus metrics in multiprocess files",
)
SAMPLED = replace(
    FULL,
    name="fastapi_template, full, 1 % of traces",
    env=sampling,
    observes="as the one above, with OpenTelemetry's sampler at 1 %",
)
