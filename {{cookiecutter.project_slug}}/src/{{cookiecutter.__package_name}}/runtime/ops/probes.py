"""The probe endpoints; the service port and the management port share them."""

from typing import Any

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..health import Health


def json_response(content: Any, status: int = 200) -> Response:
    """JSON that no proxy keeps."""
    headers = {"cache-control": "no-store"}
    return Response(orjson.dumps(content, default=_plain), status, headers, "application/json")


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else str(value)


def probe_routes(health: Health) -> list[Route]:
    """`/livez`, `/readyz` and `/startupz`: 200 when it is so, 503 when not."""

    async def livez(_: Request) -> Response:
        return json_response({"status": "live"})

    async def readyz(_: Request) -> Response:
        ready, report = await health.readiness()
        return json_response(report, 200 if ready else 503)

    async def startupz(_: Request) -> Response:
        return json_response({"phase": health.phase}, 200 if health.started else 503)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/startupz", startupz)]
