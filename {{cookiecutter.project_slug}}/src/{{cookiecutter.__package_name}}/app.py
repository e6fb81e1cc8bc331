"""The composition root: the whole wiring, top to bottom."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from fastapi import FastAPI
from starlette.types import ASGIApp

from . import __version__
from .api.orders import OrdersHandler
from .api.version import VersionHandler
from .contract.api import build_router
from .domain.orders import Orders
from .gateways.payments import HttpPayments
from .gateways.sandbox import sandbox_app
# jinja: if cookiecutter.database == "sql"
from .gateways.sql.migrate import migrate_to
from .gateways.sql.store import SqlStore
# jinja: else
from .gateways.store_memory import MemoryOrders
# jinja: endif
from .runtime.active_faults import ActiveFaults
# jinja: if cookiecutter.auth == "jwt"
from .runtime.auth.opening import open_authorizer
# jinja: endif
from .runtime.config.load import effective, environment
from .runtime.health import Health
from .runtime.http import chain, openapi
from .runtime.http.application import application
from .runtime.http.fault_injection import fault_routes
from .runtime.http.load_shedding import open_shedding
from .runtime.http.rate_limit import open_rate_limit
from .runtime.observability import logs, rendering, traces, writers
from .runtime.observability.metrics import open_metrics
from .runtime.observability.sampling import Sampling
from .runtime.ops.management import management_app
from .runtime.ops.probes import probe_routes
from .runtime.outbound.dependencies import open_dependencies
from .runtime.shutdown import Closing
from .runtime.watchdog import Watchdog
from .settings import Settings


class Service(NamedTuple):
    """What the server runs; `app` is `api` inside the middleware chain."""

    app: ASGIApp
    api: FastAPI
    management: ASGIApp
    health: Health


def open_logs(settings: Settings) -> logs.Pipeline:
    """Logging first: whatever fails after it is said in the same form."""
    log, out = settings.log, sys.stdout
    writer = writers.open_writer(log.writer, out.fileno(), log.ring_size)
    render = rendering.renderer(log.format, service=settings.name, colours=out.isatty())
    return logs.configure(writer, render, level=log.level, story_size=log.story_size)


async def migrate(settings: Settings, to: str) -> str:
    """Bring the store's schema to a revision; returns where it is."""
    # jinja: if cookiecutter.database == "sql"
    revision = await migrate_to(settings.database.url.get_secret_value(), to)
    # jinja: else
    revision = f"{to}, for there is none: {settings.name} keeps its data in memory"
    # jinja: endif
    return f"schema at {revision}"


@asynccontextmanager
async def open_service(settings: Settings, pipeline: logs.Pipeline) -> AsyncIterator[Service]:
    """Open everything in order; close it in reverse, within `close_timeout`."""
    http = settings.http
    async with Closing(http.close_timeout) as closing:
        # What is seen of it
        health, meters = Health(), open_metrics(closing, pipeline)
        tracing = traces.Tracing(
            service={"service.name": settings.name, "service.version": __version__},
            ratio=settings.tracing.sample_ratio,
            environ=environment(),
        )
        closing.add("telemetry", tracing.close)

        # What it talks to
        # jinja: if cookiecutter.database == "sql"
        store = SqlStore(
            settings.database.url.get_secret_value(),
            pool_size=settings.database.pool_size,
            pool_wait=settings.database.pool_wait,
            statement_timeout=http.request_timeout,
        )
        closing.add("database", store.close)
        await store.open(health, meters)
        repository, waiting = store.orders, store.waiting
        # jinja: else
        repository, waiting = MemoryOrders(), lambda: 0
        # jinja: endif
        faults = ActiveFaults(type(settings.dependencies).model_fields, meters)
        clients = await open_dependencies(
            settings.dependencies,
            sandboxes={"payments": sandbox_app()},
            closing=closing,
            health=health,
            metrics=meters,
            tracer=tracing.tracer(),
            faults=faults,
        )

        # What it offers
        info = {"name": settings.name, "version": __version__, "commit": settings.commit}
        api = application(
            name=settings.name,
            version=__version__,
            telemetry=tracing.telemetry,
            max_body_bytes=http.max_body_bytes,
            blocking_threads=http.blocking_threads,
        )
        router = build_router(
            version=VersionHandler(**info),
            orders=OrdersHandler(Orders(repository, HttpPayments(clients["payments"]))),
            # jinja: if cookiecutter.auth == "jwt"
            authorize=await open_authorizer(closing, meters, **settings.auth.model_dump()),
            # jinja: endif
            check=bool(http.check_answers),
        )
        api.include_router(router)
        api.router.routes.extend(probe_routes(health)[:2])
        openapi.publish(api)
        faults.open(settings.faults.rules, lambda: fault_routes(api, chain.PROBES))

        # The way of every request to it
        layers = chain.layers(
            sampling=Sampling(
                rate=settings.log.rate,
                key_rate=settings.log.key_route_rate,
                key_routes=[*settings.log.key_routes, *router.key_routes],
                trace_ratio=settings.tracing.sample_ratio if tracing.enabled else 0,
            ),
            metrics=meters,
            pipeline=pipeline,
            watchdog=Watchdog(stream_idle=http.stream_idle_timeout),
            request_timeout=http.request_timeout,
            slow_request=settings.log.slow_request,
            rate_limit=open_rate_limit(closing, meters, **dict(settings.rate_limit)),
            shedding=open_shedding(closing, meters, router, waiting, **dict(settings.shedding)),
            faults=faults,
            tracer=tracing.tracer(),
        )
        management = management_app(
            health=health,
            registry=meters.registry,
            info={**info, "environment": settings.environment},
            config=lambda: effective(settings, "APP_"),
            dependencies=clients,
            faults=faults,
            may_inject=settings.may_inject,
            token=settings.management.token.get_secret_value(),
        )
        yield Service(chain.wrap(api, layers), api, management, health)
