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
from .gateways.flags import LargeOrders
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
from .runtime.config.configuration import Configuration
from .runtime.config.environment import environment
from .runtime.config.watching import watch
from .runtime.flags.opening import open_flags
from .runtime.health import Health
from .runtime.http import chain, openapi
from .runtime.http.application import application
from .runtime.http.fault_injection import fault_routes
from .runtime.http.load_shedding import open_shedding
from .runtime.http.rate_limit import open_rate_limit
from .runtime.observability.logs import Pipeline
from .runtime.observability.metrics import open_metrics
from .runtime.observability.opening import open_pipeline
from .runtime.observability.sampling import open_sampling
from .runtime.observability.traces import open_tracing
from .runtime.ops.management import open_management
from .runtime.ops.probes import probe_routes
from .runtime.outbound.dependencies import open_dependencies
from .runtime.shutdown import Closing
from .runtime.time_limits import open_time_limits
from .settings import Settings


class Service(NamedTuple):
    """What the server runs; `app` is `api` inside the middleware chain."""

    app: ASGIApp
    api: FastAPI
    management: ASGIApp
    health: Health


def open_logs(config: Configuration[Settings]) -> Pipeline:
    """Logging first: whatever fails after it is said in the same form."""
    return open_pipeline(config.live(lambda s: s.log), config.settings.name, sys.stdout)


async def migrate(settings: Settings, to: str) -> str:
    """Bring the store's schema to a revision; returns where it is."""
    # jinja: if cookiecutter.database == "sql"
    revision = await migrate_to(settings.database.url.get_secret_value(), to)
    # jinja: else
    revision = f"{to}, for there is none: {settings.name} keeps its data in memory"
    # jinja: endif
    return f"schema at {revision}"


@asynccontextmanager
async def open_service(
    config: Configuration[Settings], pipeline: Pipeline
) -> AsyncIterator[Service]:
    """Open everything in order; close it in reverse, within `close_timeout`.

    What takes a `live` branch of the settings follows it while it runs.
    """
    settings, live, http = config.settings, config.live, config.settings.http
    async with Closing(http.close_timeout) as closing:
        # What is seen of it
        info = {"name": settings.name, "version": __version__, "commit": settings.commit}
        health, meters = Health(), open_metrics(closing, pipeline, info)
        traces = live(lambda s: s.tracing)
        tracing = open_tracing(closing, traces, info, environment())

        # What it talks to
        # jinja: if cookiecutter.database == "sql"
        store = SqlStore(live(lambda s: s.database), statement_timeout=http.request_timeout)
        closing.add("database", store.close)
        await store.open(health, meters)
        repository, waiting = store.orders, store.waiting
        # jinja: else
        repository, waiting = MemoryOrders(), lambda: 0
        # jinja: endif
        faults = ActiveFaults(type(settings.dependencies).model_fields, meters)
        clients = await open_dependencies(
            live(lambda s: s.dependencies),
            sandboxes={"payments": sandbox_app()},
            closing=closing,
            health=health,
            metrics=meters,
            tracer=tracing.tracer(),
            faults=faults,
        )
        flags = open_flags(closing, meters, live(lambda s: s.flags))

        # What it offers
        orders = Orders(repository, HttpPayments(clients["payments"]), LargeOrders(flags))
        api = application(
            name=settings.name,
            version=__version__,
            telemetry=tracing.telemetry,
            max_body_bytes=http.max_body_bytes,
            blocking_threads=http.blocking_threads,
        )
        router = build_router(
            version=VersionHandler(**info),
            orders=OrdersHandler(orders),
            # jinja: if cookiecutter.auth == "jwt"
            authorize=await open_authorizer(closing, meters, **settings.auth.model_dump()),
            # jinja: endif
            check=bool(http.check_answers),
        )
        api.include_router(router)
        api.router.routes.extend(probe_routes(health)[:2])
        openapi.publish(api)
        faults.open(live(lambda s: s.faults), lambda: fault_routes(api, chain.PROBES))

        # The way of every request to it
        log = live(lambda s: s.log)
        layers = chain.layers(
            sampling=open_sampling(
                log, traces, key_routes=router.key_routes, traced=tracing.enabled
            ),
            metrics=meters,
            pipeline=pipeline,
            limits=open_time_limits(live(lambda s: s.http), log),
            rate_limit=open_rate_limit(closing, meters, live(lambda s: s.rate_limit)),
            shedding=open_shedding(meters, router, waiting, live(lambda s: s.shedding)),
            faults=faults,
            tracer=tracing.tracer(),
        )
        app = chain.wrap(api, layers)
        management = open_management(
            closing=closing,
            health=health,
            metrics=meters,
            info={**info, "environment": settings.environment},
            config=config,
            pipeline=pipeline,
            dependencies=clients,
            faults=faults,
            app=app,
        )
        watch(config, settings.config, closing, health, meters)
        yield Service(app, api, management, health)
