"""The peer: a bare FastAPI app with the same route and model, on the same server settings.

`python -m benchmarks.inside.bare PORT` serves it through the service's own listener, with
the collector frozen after start-up as the service does it, so that the app is the only
difference.
"""

import asyncio
import gc
import sys

import uvloop
from fastapi import FastAPI
from orders.api.schemas import Version
from orders.runtime.http.server import Endpoint, ServerOptions, bind, listening

VERSION = Version(name="orders", version="0.1.0", commit="unknown")


def bare_app() -> FastAPI:
    """FastAPI as its tutorial writes it."""
    app = FastAPI()

    @app.get("/api/version")
    async def version() -> Version:
        return VERSION

    return app


async def main(port: int) -> None:
    """Serve until a signal ends the process."""
    here = Endpoint("127.0.0.1", port, "BENCH")
    options = ServerOptions(here, here, drain_delay=0, grace=0, keep_alive=75)
    async with listening(bare_app(), bind(here), options):
        gc.collect()
        gc.freeze()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
