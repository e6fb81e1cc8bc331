"""A FastAPI application as this service needs it: bounded, with problems, with own routes."""

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from ..threads import Threads
from . import problems
from .body_limit import BodyLimit
from .routes import route_class


def application(
    *,
    name: str,
    version: str,
    telemetry: TelemetryConfig,
    max_body_bytes: int,
    blocking_threads: int,
) -> FastAPI:
    """Build it, without routes; `openapi.publish` adds its documentation after them.

    Args:
        telemetry: `Tracing.telemetry`.
        max_body_bytes: a larger body is refused with 413.
        blocking_threads: threads at most for `def` endpoints.
    """
    app = FastAPI(
        title=name,
        version=version,
        telemetry=telemetry,
        separate_input_output_schemas=False,
        openapi_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.add_middleware(BodyLimit, max_bytes=max_body_bytes)
    app.router.route_class = route_class(Threads(blocking_threads))
    problems.install(app)
    return app
