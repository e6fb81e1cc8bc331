"""The management application, on a port of its own.

Not on the service's port: what is public must not show metrics and settings, and a flood
of requests there must not keep the operators out here.
"""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..active_faults import ActiveFaults
from ..config.configuration import Configuration
from ..health import Health
from ..http.body_limit import BodyLimit
from ..http.problems import Problem, internal_error
from ..observability.logs import Pipeline
from ..observability.metrics import Metrics
from ..shutdown import Closing
from .access import open_access
from .browsers import BrowserGuard
from .configuration import configuration_document
from .console.opening import open_console
from .dependencies import Dependency, dependency_pages
from .diagnostics.opening import open_diagnostics
from .documents import Document
from .faults import fault_pages
from .flags import flags_document
from .information import information
from .layers import open_layers
from .load import open_load
from .loggers import logger_pages
from .logs import open_log_counts
from .probes import probe_routes
from .time_spent import open_time_spent
from .traffic import open_traffic

MAX_BODY_BYTES = 65_536  # far above any command


def open_management(
    *,
    closing: Closing,
    health: Health,
    metrics: Metrics,
    info: Mapping[str, str],
    config: Configuration[Any],
    pipeline: Pipeline,
    dependencies: Mapping[str, Dependency],
    faults: ActiveFaults,
    app: ASGIApp,
) -> BrowserGuard:
    """Build the application, and start what it measures by itself.

    Args:
        info: at least `name` and `version`.
        config: of settings with `management` and `may_inject`.
        app: what the other port serves, the whole chain.
    """
    live = config.live(lambda s: s.management)
    access, audit = open_access(live)
    debug, profiles = open_diagnostics(closing, metrics, health, access, info, live)
    read_only = [
        information(info, health, access),
        open_traffic(closing, metrics, app),
        open_layers(closing, app),
        open_time_spent(closing, metrics, app),
        open_load(closing, metrics, app),
        open_log_counts(closing, pipeline, app),
        configuration_document(config),
        flags_document(config, metrics),
        Document("/failures", "the last failed and slow requests", metrics.failures.report),
        audit,
        *debug,
    ]
    commanded = [
        logger_pages(pipeline, access),
        dependency_pages(dependencies, access),
        fault_pages(faults, access, allowed=config.settings.may_inject),
        profiles,
    ]
    documents = [
        *read_only,
        *(pages.document for pages in commanded),
        Document("/readyz", "whether traffic should come here, and why not", health.report),
    ]
    for_machines = [*probe_routes(health), _metrics(metrics.registry)]
    application = Starlette(
        routes=[
            *open_console(closing, {one.path: one for one in documents}),
            *for_machines,
            *(document.route() for document in read_only),
            *(route for pages in commanded for route in pages.routes),
        ],
        middleware=[Middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)],
        exception_handlers={
            HTTPException: _http_exception,
            Problem: _problem,
            Exception: _unhandled,  # and the server logs its stack
        },
    )
    return BrowserGuard(application, access, live, [route.path for route in for_machines])


def _metrics(registry: CollectorRegistry) -> Route:
    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    return Route("/metrics", metrics)


async def _http_exception(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return Problem(exc.status_code, headers=exc.headers).response()


async def _problem(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Problem)
    return exc.response()


async def _unhandled(_: Request, __: Exception) -> Response:
    return internal_error().response()
