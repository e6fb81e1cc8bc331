"""Every dependency of the settings, open: its client, its metrics, its say in readiness."""

from collections.abc import Iterable, Mapping

import structlog
from opentelemetry import trace
from starlette.types import ASGIApp, Receive, Scope, Send

from ..config.live import Live
from ..errors import DependencyUnavailable
from ..health import Check, Health
from ..http.problems import Problem
from ..http.server import loopback
from ..observability.metrics import Metrics
from ..shutdown import Closing
from .breaker import State
from .client import Client, Faults
from .options import Dependency

STATES = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


async def open_dependencies(
    options: Live[Iterable[tuple[str, Dependency]]],
    *,
    sandboxes: Mapping[str, ASGIApp],
    closing: Closing,
    health: Health,
    metrics: Metrics,
    tracer: trace.Tracer,
    faults: Faults | None = None,
) -> Mapping[str, Client]:
    """A client for each, by name.

    Args:
        options: the settings of each dependency, which the clients follow.
        sandboxes: what stands in for one that has no URL, on loopback.

    One with neither fails at every call, and not at start: with a new dependency the rest of
    the service can still be worked on. Production asks for every URL.
    """
    clients: dict[str, Client] = {}
    for name, dependency in options.now:
        url = dependency.url
        if not url:
            if name not in sandboxes:
                setting = f"APP_DEPENDENCIES__{name.upper()}__URL"
                structlog.get_logger().warning("a dependency has no address", missing=setting)
            stand_in = sandboxes.get(name, _missing)
            url = await closing.enter(f"{name} sandbox", loopback(stand_in))
        client = Client(name, url, dependency, metrics=metrics, tracer=tracer, faults=faults)
        closing.add(f"{name} client", client.close)
        _report_changes(client, metrics)
        health.register(name, _check(client), critical=dependency.critical)
        clients[name] = client
    _report_state(clients, metrics)

    def update(**changed: Dependency) -> None:
        for name, client in clients.items():
            client.update(changed[name])

    options.follow(update)
    return clients


async def _missing(_: Scope, __: Receive, send: Send) -> None:
    """What stands in for a dependency that nobody has named."""
    await Problem(503, "This dependency has no address.").send(send)


def _report_changes(client: Client, metrics: Metrics) -> None:
    log = structlog.get_logger().bind(logger="breaker")

    def changed(name: str, before: State, after: State) -> None:
        metrics.breaker_transitions.labels(name, before, after).inc()
        write = log.warning if after is State.OPEN else log.info
        write("circuit changed", dependency=name, before=before, after=after)

    client.pipeline.breaker.on_change(changed)


def _check(client: Client) -> Check:
    breaker = client.pipeline.breaker

    async def check() -> None:
        if breaker.status is State.OPEN:
            raise DependencyUnavailable(client.dependency, "its circuit is open")

    return check


def _report_state(clients: Mapping[str, Client], metrics: Metrics) -> None:
    pipelines = {(name,): client.pipeline for name, client in clients.items()}
    metrics.gauges(
        "circuit_breaker_state",
        "0 closed, 1 half-open, 2 open.",
        ("dependency",),
        lambda: [(k, STATES[p.breaker.status]) for k, p in pipelines.items()],
    )
    metrics.counter(
        "circuit_breaker_refused",
        "Calls that an open breaker refused.",
        ("dependency",),
        lambda: [(k, p.breaker.counts().refused) for k, p in pipelines.items()],
    )
    metrics.gauges(
        "http_client_active_requests",
        "Calls under way.",
        ("dependency",),
        lambda: [(k, p.active) for k, p in pipelines.items()],
    )
    metrics.gauges(
        "http_client_active_limit",
        "Calls that may be under way.",
        ("dependency",),
        lambda: [(k, p.options.max_concurrent) for k, p in pipelines.items()],
    )
    metrics.gauges(
        "http_client_retry_budget",
        "Retries that may be made now.",
        ("dependency",),
        lambda: [(k, p.retries.tokens) for k, p in pipelines.items()],
    )
