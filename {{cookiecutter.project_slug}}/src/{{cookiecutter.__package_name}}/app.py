"""The composition root: the whole wiring, top to bottom."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.types import ASGIApp

from . import __version__
from .api.orders import OrdersApi
from .api.version import VersionApi
from .domain.orders import Orders
# jinja: if cookiecutter.database == "none"
from .gateways.memory import MemoryOrders
# jinja: endif
from .gateways.payments import HttpPayments
from .gateways.sandbox import sandbox_app
# jinja: if cookiecutter.database == "sql"
from .gateways.sql.migrate import check_schema
from .gateways.sql.orders import SqlOrders
# jinja: endif
from .runtime.config.load import effective, environment
# jinja: if cookiecutter.database == "sql"
from .runtime.database.engine import Database
# jinja: endif
from .runtime.health import Health
from .runtime.http import chain, openapi, problems
from .runtime.http.fault_injection import Fault
from .runtime.http.routes import route_class
from .runtime.http.server import loopback
from .runtime.observability import logs, metrics, traces
from .runtime.observability.loop_lag import measure_loop_lag
from .runtime.observability.sampling import Sampling
from .runtime.ops.management import management_app
from .runtime.ops.probes import probe_routes
from .runtime.outbound.client import Client
from .runtime.shutdown import Closing
from .runtime.threads import Threads
from .runtime.watchdog import Watchdog
from .settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """What the server runs; `app` is `api` inside the middleware chain."""

    app: ASGIApp
    api: FastAPI
    management: Starlette
    health: Health


def open_logs(settings: Settings) -> logs.Pipeline:
    """Logging first: whatever fails after it is said in the same form."""
    log, out = settings.log, sys.stdout
    return logs.configure(
        logs.open_writer(log.writer, out.fileno(), log.ring_size),
        logs.RenderJSON(service=settings.name)
        if log.format == "json"
        else logs.RenderConsole(colours=out.isatty()),
        level=log.level,
        story_size=log.story_size,
    )


@asynccontextmanager
async def open_service(settings: Settings, pipeline: logs.Pipeline) -> AsyncIterator[Service]:
    """Open everything in order; close it in reverse, within `close_timeout`."""
    http = settings.http
    async with Closing(http.close_timeout) as closing:
        # What is seen of it
        health = Health()
        meters = metrics.Metrics()
        metrics.log_counts(meters, pipeline)
        closing.add("gc watch", meters.watch_gc())
        closing.task("loop lag", measure_loop_lag(meters.loop_lag.observe))
        tracing = traces.Tracing(
            service={"service.name": settings.name, "service.version": __version__},
            ratio=settings.tracing.sample_ratio,
            environ=environment(),
        )
        closing.add("telemetry", lambda: tracing.close(http.close_timeout))

        # What it talks to
        # jinja: if cookiecutter.database == "sql"
        database = Database(
            settings.database.url.get_secret_value(),
            pool_size=settings.database.pool_size,
            pool_wait=settings.database.pool_wait,
            statement_timeout=http.request_timeout,
        )
        closing.add("database", database.close)
        await database.verify()
        health.register("database", database.ping, critical=True)
        health.register("schema", lambda: check_schema(database), critical=True)
        meters.gauge(
            "database_connections_in_use", "Connections that a request holds.", database.in_use
        )
        repository = SqlOrders(database)
        # jinja: else
        repository = MemoryOrders()
        # jinja: endif
        payments = settings.dependencies.payments
        url = payments.url or await closing.enter("sandbox", loopback(sandbox_app()))
        client = Client(
            "payments", url, timeout=payments.timeout, metrics=meters, tracer=tracing.tracer()
        )
        closing.add("payments client", client.close)

        # What it offers
        info = {"name": settings.name, "version": __version__, "commit": settings.commit}
        api = FastAPI(
            title=settings.name,
            version=__version__,
            telemetry=tracing.telemetry,
            max_body_size=http.max_body_bytes,
            separate_input_output_schemas=False,
            redoc_url=None,
            swagger_ui_oauth2_redirect_url=None,
        )
        api.router.route_class = route_class(Threads(http.blocking_threads))
        VersionApi(**info).register(api.router)
        OrdersApi(Orders(repository, HttpPayments(client))).register(api.router)
        api.router.routes.extend(probe_routes(health)[:2])
        problems.install(api)
        openapi.install(api)

        # The way of every request to it
        layers = chain.layers(
            sampling=Sampling(
                rate=settings.log.rate,
                key_rate=settings.log.key_route_rate,
                key_routes=settings.log.key_routes,
                trace_ratio=settings.tracing.sample_ratio if tracing.enabled else 0,
            ),
            metrics=meters,
            pipeline=pipeline,
            watchdog=Watchdog(stream_idle=http.stream_idle_timeout),
            request_timeout=http.request_timeout,
            slow_request=settings.log.slow_request,
            max_in_flight=http.max_in_flight,
            fault=Fault(**settings.faults.model_dump(exclude={"allow_in_production"})),
        )
        management = management_app(
            health=health,
            registry=meters.registry,
            info={**info, "environment": settings.environment},
            config=lambda: effective(settings, "APP_"),
        )
        yield Service(chain.wrap(api, layers), api, management, health)
