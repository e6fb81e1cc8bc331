"""The management application, on a port of its own.

Not on the service's port: what is public must not show metrics and settings, and a flood
of requests there must not keep the operators out here.
"""

import html
import time
from collections.abc import Mapping
from string import Template
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ..active_faults import ActiveFaults
from ..config.configuration import Configuration
from ..health import Health
from ..http.body_limit import BodyLimit
from ..http.problems import Problem, internal_error
from ..observability.logs import Pipeline
from .access import Access
from .configuration import configuration_page
from .dependencies import Dependency, dependency_pages
from .faults import fault_pages
from .loggers import logger_pages
from .probes import json_response, probe_routes

PAGE = Template("""<!doctype html><html lang="en"><meta charset="utf-8"><title>$name</title>
<style>body{font:16px/1.6 system-ui,sans-serif;margin:3rem auto;max-width:40rem;padding:0 1rem}
dt{font-weight:600}dd{margin:0 0 .6rem}</style>
<h1>$name $version</h1><p>$phase</p><dl>$links</dl></html>
""")
LINKS = {
    "/livez": "the event loop answers",
    "/readyz": "whether traffic should come here, and why not",
    "/startupz": "start-up is complete",
    "/metrics": "Prometheus",
    "/info": "what runs here",
    "/config": "the settings in force and where they come from, secrets masked",
    "/loggers": "the levels of all loggers",
    "/dependencies": "what this service calls, and how that goes",
    "/faults": "what is injected on purpose now",
}
MAX_BODY_BYTES = 65_536  # far above any command


def management_app(
    *,
    health: Health,
    registry: CollectorRegistry,
    info: Mapping[str, str],
    config: Configuration[Any],
    pipeline: Pipeline,
    dependencies: Mapping[str, Dependency],
    faults: ActiveFaults,
    may_inject: bool,
    access: Access,
) -> Starlette:
    """Build the application.

    Args:
        info: at least `name` and `version`.
        may_inject: whether faults may be added.
        access: who may change something.
    """
    began = time.time()

    async def index(_: Request) -> Response:
        links = "".join(f'<dt><a href="{p}">{p}</a></dt><dd>{t}</dd>' for p, t in LINKS.items())
        name, version = html.escape(info["name"]), html.escape(info["version"])
        page = PAGE.substitute(name=name, version=version, phase=health.phase, links=links)
        return HTMLResponse(page)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    async def show_info(_: Request) -> Response:
        uptime = round(time.time() - began, 1)
        return json_response({**info, "phase": health.phase, "uptime_seconds": uptime})

    return Starlette(
        routes=[
            Route("/", index),
            *probe_routes(health),
            Route("/metrics", metrics),
            Route("/info", show_info),
            configuration_page(config),
            *logger_pages(pipeline, access),
            *dependency_pages(dependencies, access),
            *fault_pages(faults, access, allowed=may_inject),
        ],
        middleware=[Middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)],
        exception_handlers={
            HTTPException: _http_exception,
            Problem: _problem,
            Exception: _unhandled,  # and the server logs its stack
        },
    )


async def _http_exception(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return Problem(exc.status_code, headers=exc.headers).response()


async def _problem(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Problem)
    return exc.response()


async def _unhandled(_: Request, __: Exception) -> Response:
    return internal_error().response()
