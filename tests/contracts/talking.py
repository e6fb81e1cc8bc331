"""What the programs beside this share: a router behind a real socket, and a client of it.

They run inside a generated service, `python -m tests.talks.petstore`, where its package has
the name that is a placeholder here.
"""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from opentelemetry.trace import NoOpTracer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from steadfast_service.runtime.http import problems
from steadfast_service.runtime.http.operations import OperationRouter
from steadfast_service.runtime.http.server import loopback
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.outbound.client import Client
from steadfast_service.runtime.outbound.options import (
    BreakerOptions,
    Dependency,
    RetryOptions,
)

Talk = Callable[[Client], Awaitable[None]]

# Declared errors are answered on purpose here, one after the other.
CALM = Dependency(breaker=BreakerOptions(min_calls=1000), retry=RetryOptions(attempts=1))


class Heard:
    """An application, and which answer each of its routes has given."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.answers: set[tuple[str, int]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start" and "route" in scope:
                self.answers.add((scope["route"].name, message["status"]))
            await send(message)

        await self._app(scope, receive, note)


async def _run(router: OperationRouter, talk: Talk) -> str:
    app = FastAPI(openapi_url=None)
    problems.install(app)
    app.include_router(router)
    heard = Heard(app)
    async with loopback(heard) as url:
        client = Client("itself", url, CALM, metrics=Metrics(), tracer=NoOpTracer())
        try:
            await talk(client)
        finally:
            await client.close()
    by_id = {one.id: one for one in router.operations}
    told = {(name, by_id[name].answer_key(status)) for name, status in heard.answers}
    silent = {(one.id, key) for one in router.operations for key in one.answers} - told
    assert not silent, f"declared, and never answered: {sorted(silent)}"
    return f"{len(told)} answers heard\n{len({name for name, _ in told})} operations talked"


def run(router: OperationRouter, talk: Talk) -> None:
    """Serve the router, talk to it, and say how many operations and answers that were.

    Raises:
        AssertionError: the talk did, or it left out something that the contract declares.
    """
    print(asyncio.run(_run(router, talk)))


def always(secret: str) -> Callable[[], Awaitable[str]]:
    """What a client asks for its credential."""

    async def token() -> str:
        return secret

    return token
