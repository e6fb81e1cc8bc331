"""Bare ASGI and bare FastAPI with the operations of `work`, by plain uvicorn.

`python -m benchmarks.inside.bare APP PORT ROUTES`: `asgi` answers every request with the same
ready bytes; `fastapi` is `FastAPI()` with the operations as routes of its own, which is faster
than to include a router, and ROUTES more that come first. uvicorn runs with uvloop and httptools,
as the service does, without its access log, whose price would be counted for FastAPI's, and with
the collector frozen after start-up, as the service does it.
"""

import gc
import sys

import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from .work import VERSION, Version, router


def asgi(_: int) -> ASGIApp:
    """Two messages: what nothing on this server can be faster than."""
    body = VERSION.model_dump_json().encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def fastapi(routes: int) -> FastAPI:
    """As the tutorial has it; `/many/0/{name}` and so on stand before the others."""
    app = FastAPI()

    async def many(name: str) -> Version:
        return VERSION

    for number in range(routes):
        path = f"/many/{number}" + "/{name}"
        app.add_api_route(path, many, operation_id=f"many{number}")
    for route in router.routes:
        assert isinstance(route, APIRoute)
        app.add_api_route(route.path, route.endpoint, methods=list(route.methods))
    return app


def main(name: str, port: int, routes: int) -> None:
    """Serve until a signal ends the process."""
    app = {"asgi": asgi, "fastapi": fastapi}[name](routes)
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
