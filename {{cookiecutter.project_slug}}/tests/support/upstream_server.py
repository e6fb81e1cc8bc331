"""A dependency of any kind: an HTTP server that does what the test says, and a client of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from opentelemetry.trace import NoOpTracer
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from steadfast_service.runtime.http.server import loopback
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.outbound.client import Client
from steadfast_service.runtime.outbound.options import Dependency

# For tests that are about neither time limits nor the breaker.
PATIENT: dict[str, Any] = {
    "breaker": {"min_calls": 100_000, "window": 60},
    "timeout": 30,
    "attempt_timeout": 30,
    "connect_timeout": 30,
}


class Upstream:
    """Answers 200, but for the next `answers`; keeps the requests that it got."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.answers: list[Response] = []
        self.always: Response | None = None
        self.gate = asyncio.Event()  # while it is not set there is no answer
        self.gate.set()
        self.connections: set[tuple[str, int]] = set()
        self.active = self.most_active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        self.requests.append(request)
        self.connections.add(scope["client"])
        self.active += 1
        self.most_active = max(self.active, self.most_active)
        try:
            await self.gate.wait()
            response = self.answers.pop(0) if self.answers else self.always or Response("fine")
            await response(scope, receive, send)
        finally:
            self.active -= 1


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    """Serve it on a free port."""
    server = Upstream()
    async with loopback(server) as server.url:
        yield server
        server.gate.set()


def options(**groups: Any) -> Dependency:
    """Settings of a dependency; groups as dictionaries."""
    return Dependency.model_validate(groups)


@asynccontextmanager
async def client_of(
    url: str, metrics: Metrics | None = None, **groups: Any
) -> AsyncIterator[Client]:
    """A client with these settings, called `shop`."""
    client = Client(
        "shop", url, options(**groups), metrics=metrics or Metrics(), tracer=NoOpTracer()
    )
    try:
        yield client
    finally:
        await client.close()


def calls_of(client: Client, number: int, **how: Any) -> list[asyncio.Task[Any]]:
    """So many calls under way at once."""
    return [asyncio.create_task(client.request("GET", "/a", **how)) for _ in range(number)]


def samples(metrics: Metrics, name: str) -> Mapping[tuple[str, ...], float]:
    """The samples of this name, by the values of their labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == name
    }
