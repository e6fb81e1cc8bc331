"""The middleware chain as such."""

from functools import partial
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracer
from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive, Scope, Send

from steadfast_service import settings
from steadfast_service.runtime.active_faults import ActiveFaults
from steadfast_service.runtime.client_rates import ClientRates, MemoryWindows
from steadfast_service.runtime.concurrency_limit import ConcurrencyLimit
from steadfast_service.runtime.config.live import Live
from steadfast_service.runtime.context import current
from steadfast_service.runtime.http import chain
from steadfast_service.runtime.http.load_shedding import LoadShedding
from steadfast_service.runtime.http.rate_limit import RateLimit
from steadfast_service.runtime.observability.metrics import Metrics
from steadfast_service.runtime.observability.sampling import Sampling
from steadfast_service.runtime.route_match import RouteSet
from steadfast_service.runtime.time_limits import TimeLimits

from ...support.records import Records, record_logs

NAMES = [
    "RequestContext",
    "AccessLog",
    "Recovery",
    "RateLimit",
    "LoadShedding",
    "DeadlineGuard",
    "FaultInjection",
]


class App:
    """The innermost application."""

    def __init__(self, error: Exception | None = None, *, begin: bool = True) -> None:
        self.scopes: list[Scope] = []
        self.error = error
        self.begin = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if self.begin:
            await send({"type": f"{scope['type']}.response.start", "status": 200, "headers": []})
        if self.error is not None:
            raise self.error
        await send({"type": f"{scope['type']}.response.body", "body": b"done"})


def layers() -> tuple[list[chain.Layer], CollectorRegistry, Records]:
    pipeline, records = record_logs()
    metrics = Metrics()
    built = chain.layers(
        sampling=Sampling(rate=1, key_rate=1, key_routes=(), trace_ratio=0),
        metrics=metrics,
        pipeline=pipeline,
        limits=TimeLimits(request_timeout=5, stream_idle_timeout=1, slow_request=1),
        rate_limit=partial(
            RateLimit,
            live=Live(settings.RateLimit()),
            rates=ClientRates("", MemoryWindows()),
            metrics=metrics,
        ),
        shedding=partial(
            LoadShedding,
            limit=ConcurrencyLimit(max_in_flight=10, min_in_flight=1, target_lag=0),
            critical=RouteSet(),
            streams=RouteSet(),
            metrics=metrics,
        ),
        faults=ActiveFaults((), metrics),
        tracer=NoOpTracer(),
    )
    return built, metrics.registry, records


async def call(app: Any, kind: str = "http") -> list[Message]:
    """What the application sends back."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": kind, "method": "GET", "path": "/", "headers": []}, receive, send)
    return sent


def status(sent: list[Message]) -> int:
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    return int(sent[0]["status"])


def test_the_layers_stand_in_the_order_that_the_design_gives() -> None:
    app: Any = chain.wrap(App(), layers()[0])
    found = []
    while not isinstance(app, App):
        found.append(type(app).__name__)
        app = app.app
    assert found == NAMES


@pytest.mark.parametrize("left_out", range(1, len(NAMES)), ids=NAMES[1:])
async def test_any_layer_but_the_first_can_be_left_out(left_out: int) -> None:
    built, _, _ = layers()
    del built[left_out]
    assert status(await call(chain.wrap(App(), built))) == 200


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_what_is_not_a_request_passes_untouched(kind: str) -> None:
    built, registry, records = layers()
    app = App()
    sent = await call(chain.wrap(app, built), kind)
    assert [message["type"] for message in sent] == [
        f"{kind}.response.start",
        f"{kind}.response.body",
    ]
    assert sent[0]["headers"] == []
    assert [scope["type"] for scope in app.scopes] == [kind]
    assert records.lines == []
    name = "http_server_request_duration_seconds_count"
    assert registry.get_sample_value(name) is None


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_nor_is_its_error_anybody_s_but_the_server_s(kind: str) -> None:
    built, _, records = layers()
    with pytest.raises(LookupError):
        await call(chain.wrap(App(LookupError()), built), kind)
    assert records.lines == []


async def test_an_error_before_the_response_is_answered_for() -> None:
    built, _, records = layers()
    assert status(await call(chain.wrap(App(LookupError(), begin=False), built))) == 500
    assert records.events() == ["unhandled exception", "request"]


async def test_after_its_beginning_the_response_ends_without_its_last_part() -> None:
    built, _, records = layers()
    sent = await call(chain.wrap(App(LookupError()), built))
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert records.events() == ["unhandled exception", "request"]


async def test_nothing_of_a_request_is_left_behind() -> None:
    built, registry, _ = layers()
    inner = App()
    app = chain.wrap(inner, built)
    for error in (None, LookupError()):
        inner.error = error
        await call(app)
        assert current.get() is None
    assert registry.get_sample_value("http_server_active_requests") == 0
