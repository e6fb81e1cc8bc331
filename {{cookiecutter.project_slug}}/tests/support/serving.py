"""The whole service in this process, behind real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families

from steadfast_service.app import Service, migrate, open_service
from steadfast_service.runtime.config.configuration import (
    Configuration,
    State,
)
from steadfast_service.runtime.config.layers import Layer
from steadfast_service.runtime.health import Phase
from steadfast_service.runtime.http.server import (
    Endpoint,
    ServerOptions,
    bind,
    listening,
)
from steadfast_service.runtime.observability.logs import Pipeline
from steadfast_service.settings import Dependencies, Settings

from .caller import HAS_AUTH, credentials
from .records import Records, record_logs

ORDER: dict[str, Any] = {
    "customer_id": "cus_1",
    "currency": "EUR",
    "items": [{"sku": "tea-01", "quantity": 2, "unit_price": 450}],
}


NOWHERE = "http://127.0.0.1:1"
# What production asks for besides a database.
IN_PRODUCTION: dict[str, Any] = {
    "environment": "production",
    "dependencies": {name: {"url": NOWHERE} for name in Dependencies.model_fields},
}
if HAS_AUTH:
    IN_PRODUCTION["auth"] = {"issuer": NOWHERE, "jwks_url": NOWHERE}

HERE = Endpoint("127.0.0.1", 0, "nothing")
OPTIONS = ServerOptions(HERE, HERE, drain_delay=0, grace=0, keep_alive=75)


class Served(NamedTuple):
    """A running service, a client for each of its ports, and its log."""

    service: Service
    client: httpx.AsyncClient
    ops: httpx.AsyncClient
    records: Records
    pipeline: Pipeline
    config: Configuration[Settings]

    @property
    def address(self) -> tuple[str, int]:
        """Where raw sockets connect to."""
        url = self.client.base_url
        assert url.port is not None
        return url.host, url.port

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that carry these labels."""
        text = (await self.ops.get("/metrics")).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


def config_for(
    folder: Path, sources: Sequence[State] = (), **groups: Any
) -> Configuration[Settings]:
    """Settings with a store of their own in `folder`, where this service has one.

    Args:
        sources: below the groups.
    """
    if "database" in Settings.model_fields:
        groups.setdefault("database", {"url": f"sqlite:///{folder / 'test.db'}"})
    if HAS_AUTH:
        groups.setdefault("auth", {"sandbox_port": 0})
    if not sources:  # a machine that stalls us is no record that a test looks for
        groups["management"] = {"stall_threshold": 0} | groups.get("management", {})
    return Configuration(Settings, sources, [Layer("arguments", groups)])


@asynccontextmanager
async def served(
    folder: Path, sources: Sequence[State] = (), **groups: Any
) -> AsyncIterator[Served]:
    """Open the service with these groups of settings and serve it on free ports."""
    config = config_for(folder, sources, **groups)
    settings = config.settings
    await migrate(settings, "head")
    pipeline, records = record_logs(level=settings.log.level, story_size=settings.log.story_size)
    config.live(lambda s: s.log).follow(pipeline.update)
    with bind(HERE) as front, bind(HERE) as back:
        async with (
            aclosing(config),
            open_service(config, pipeline) as service,
            listening(service.app, front, OPTIONS) as listener,
            listening(service.management, back, OPTIONS) as ops_listener,
            httpx.AsyncClient(base_url=_url(front), timeout=10) as client,
            httpx.AsyncClient(base_url=_url(back), timeout=10) as ops,
        ):
            service.health.phase = Phase.SERVING
            if HAS_AUTH and not settings.model_dump()["auth"]["issuer"]:
                issuer = records.of("anyone gets a token here")[0]["issuer"]
                client.headers.update(await asyncio.to_thread(credentials, issuer))
                records.lines.clear()
            yield Served(service, client, ops, records, pipeline, config)
            for one in (listener, ops_listener):  # together: each takes uvicorn 0.2 s
                one.should_exit = one.force_exit = True


def _url(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}"
