"""The service without what looks into it: its management port has probes and metrics only.

Its commands are the service's own. What stays is what counts and remembers as requests end;
what goes is the console, the documents, and all that measures by itself.
"""

from collections.abc import Mapping
from typing import Any

from orders import app
from orders.__main__ import cli
from orders.runtime.health import Health
from orders.runtime.observability.metrics import Metrics
from orders.runtime.ops.probes import probe_routes
from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def open_management(*, health: Health, metrics: Metrics, **_: Mapping[str, Any]) -> Starlette:
    """Instead of the service's own."""

    async def show(_: Request) -> Response:
        return Response(generate_latest(metrics.registry))

    return Starlette(routes=[*probe_routes(health), Route("/metrics", show)])


if __name__ == "__main__":
    vars(app)["open_management"] = open_management
    cli(prog_name="blind")
