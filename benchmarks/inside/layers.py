"""Where a request's time goes: GET /api/version in process, without sockets.

The ASGI application is called with the scope that a browser's request makes, and its
messages are thrown away. The chain is built up one layer at a time from the service's own
instances, so each row is the CPU time that this layer adds in its place. The rows above
the chain take FastAPI itself apart.
"""

import asyncio
import copy
import os
import sys
import time
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import Any

import uvloop
from orders.app import Service, open_service
from orders.runtime.config.configuration import Configuration
from orders.runtime.config.environment import environment_layer
from orders.runtime.observability import logs, rendering
from orders.runtime.observability.writers import DirectWriter
from orders.settings import Settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..table import Row
from .clock import Measure, in_turns, minus, over, report
from .peers import VERSION, generated, set_up, written

REQUESTS = 300  # per round and variant: 10 to 20 ms
BARE, CHAIN = "bare FastAPI, all in all", "whole chain: share of bare FastAPI's throughput"
HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"application/json, text/plain, */*"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"accept-language", b"en"),
    (b"connection", b"keep-alive"),
    (b"cookie", b"session=0123456789abcdef"),
    (b"referer", b"http://127.0.0.1:8000/docs"),
]


def scope() -> dict[str, Any]:
    """What uvicorn makes of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": "/api/version",
        "raw_path": b"/api/version",
        "query_string": b"",
        "headers": HEADERS,
        "state": {},
    }


async def receive() -> dict[str, Any]:
    """No body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(_: Any) -> None:
    """Throw it away."""


async def requests(app: ASGIApp) -> float:
    """CPU µs per request."""
    begun = time.process_time()
    for _ in range(REQUESTS):
        await app(scope(), receive, send)
    seconds = time.process_time() - begun
    await asyncio.sleep(0)  # lets the watchdog's timer run, outside of the measurement
    return seconds / REQUESTS * 1e6


def raw(body: bytes) -> ASGIApp:
    """Two messages and nothing else."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


def starlette(body: bytes) -> Starlette:
    """Routing and a ready answer."""

    async def version(_: Request) -> Response:
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/api/version", version)])


def built_up(service: Service) -> dict[str, ASGIApp]:
    """The service's FastAPI inside its outermost layer, then the outermost two, and so on."""
    layers: list[Any] = []
    layer: Any = service.app
    while layer is not service.api:
        layers.append(layer)
        layer = layer.app
    variants: dict[str, ASGIApp] = {}
    for count in range(1, len(layers) + 1):
        app: Any = service.api
        for each in reversed(layers[:count]):
            outer = copy.copy(each)
            outer.app = app
            app = outer
        variants[type(layers[count - 1]).__name__] = app
    return variants


def unwritten() -> logs.Pipeline:
    """A log that is made and thrown away."""
    return logs.configure(
        DirectWriter(os.open(os.devnull, os.O_WRONLY)),
        rendering.RenderJSON(service="orders"),
        level="info",
        story_size=64,
    )


async def opened(stack: AsyncExitStack, *, tracing: bool) -> Service:
    """The service as `serve` opens it, its log thrown away."""
    name = "OTEL_EXPORTER_OTLP_ENDPOINT"
    endpoint = os.environ.pop(name)
    if tracing:
        os.environ[name] = endpoint
    config = Configuration(Settings, fixed=[environment_layer(Settings, os.environ)])
    service = await stack.enter_async_context(open_service(config, unwritten()))
    for task in asyncio.all_tasks():
        if task.get_name() == "layer costs":  # its probes would be measured as layers
            task.cancel()
            await asyncio.wait({task})
    os.environ[name] = endpoint
    return service


def main(rounds: int) -> None:
    """Build the variants, measure them in turns, print the rows."""
    body = VERSION.model_dump_json().encode()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()
        plain = runner.run(opened(stack, tracing=False))
        traced = runner.run(opened(stack, tracing=True))
        fastapi: dict[str, ASGIApp] = {
            "raw ASGI: two messages": raw(body),
            "Starlette: routing, a ready answer": starlette(body),
            "FastAPI: its own machinery, the model": written(),
        }
        chain: dict[str, ASGIApp] = {
            "the generated router in place of the routes": generated(),
            "its set-up: body limit, problems, no telemetry": set_up(),
            "the probes": plain.api,
            **built_up(plain),
            "traces of 1 %": traced.app,
        }
        apps = fastapi | chain

        def measured(app: ASGIApp) -> Measure:
            return lambda: runner.run(requests(app))

        values = in_turns({name: measured(app) for name, app in apps.items()}, rounds)
        runner.run(stack.aclose())
    *_, bare = fastapi
    names = [*fastapi, *chain]
    zero = [0.0] * rounds
    share = {name: over(values[name], values[bare]) for name in names}
    rows = [_added(names[0], values[names[0]], share[names[0]])]
    for before, name in pairwise(names):
        if before == bare:
            rows.append(_added(BARE, minus(values[bare], zero), share[bare]))
        added = minus(values[name], values[before])
        rows.append(_added(f"  + {name}", added, over(added, values[bare])))
    *_, last, _traced = names
    rows.append(Row(CHAIN, over(values[bare], values[last])))
    rows.append(Row(f"{CHAIN}, with traces", over(values[bare], values[names[-1]])))
    report(layers=rows)


def _added(what: str, values: list[float], shares: list[float]) -> Row:
    share = sorted(shares)[len(shares) // 2]
    return Row(what, values, "µs", note=f"{share:.1%}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
