"""The peer of the chain's row: a bare FastAPI app with the same route, model and server settings.

Run by the service's own interpreter: `python bare.py PORT`.
"""

import sys

import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import BaseModel


class Version(BaseModel):
    """The same model as the service's."""

    name: str
    version: str
    commit: str


def bare_app() -> FastAPI:
    """FastAPI as its tutorial writes it."""
    app = FastAPI()

    @app.get("/api/version")
    async def version() -> Version:
        return Version(name="orders", version="0.1.0", commit="unknown")

    return app


if __name__ == "__main__":
    config = uvicorn.Config(
        bare_app(),
        port=int(sys.argv[1]),
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
    )
    uvloop.run(uvicorn.Server(config).serve())
