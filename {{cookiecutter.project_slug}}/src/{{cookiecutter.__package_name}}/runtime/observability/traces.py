"""OpenTelemetry tracing that follows the decision taken in `RequestContext`.

FastAPI's own telemetry makes the server span, and only where the request is sampled
(`exclude`). Identifiers come from the request's state, so that a log record, a span and
the `traceparent` of an outbound call always agree.
"""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators import textmap
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from ..config.live import Live
from ..context import RequestState, current
from ..shutdown import Closing

OFF: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}


def endpoint_from(environ: Mapping[str, str]) -> str:
    """The OTLP endpoint that OpenTelemetry's own variables name, or an empty string."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return ""
    return environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or environ.get(
        "OTEL_EXPORTER_OTLP_ENDPOINT", ""
    )


def current_span_id(state: RequestState) -> str:
    """The innermost recorded span, or the request's own id where none is recorded."""
    if state.traced:
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            return f"{context.span_id:016x}"
    return state.span_id


def traceparent(state: RequestState) -> str:
    """The header that makes a call a child of what the request is doing now."""
    return f"00-{state.trace_id}-{current_span_id(state)}-0{int(state.traced)}"


class Tracing:
    """The tracer provider, or nothing where no OTLP endpoint is set.

    Args:
        service: name and version for the resource; Kubernetes attributes come from
            `POD_NAME`, `POD_NAMESPACE` and `NODE_NAME` (downward API), the rest from
            `OTEL_RESOURCE_ATTRIBUTES`.
        ratio: share of the traces that start outside of requests and are recorded.
        environ: the process's environment.
    """

    def __init__(self, *, service: Mapping[str, str], ratio: float, environ: Mapping[str, str]):
        self.telemetry: TelemetryConfig = OFF
        self.enabled = bool(endpoint_from(environ))
        self._provider: Any = None
        self._sampler: Any = None
        if self.enabled:
            self._start(service, environ)
            self.update(sample_ratio=ratio)

    def _start(self, service: Mapping[str, str], environ: Mapping[str, str]) -> None:
        # Imported here: a service that does not trace should not pay 0.2 s and 12 MB for it.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
        from opentelemetry.sdk.trace.sampling import (
            ALWAYS_OFF,
            ALWAYS_ON,
            ParentBased,
            Sampler,
            SamplingResult,
            TraceIdRatioBased,
        )

        class RequestIds(RandomIdGenerator):
            def generate_trace_id(self) -> int:
                state = current.get()
                return int(state.trace_id, 16) if state else super().generate_trace_id()

            def generate_span_id(self) -> int:
                state = current.get()
                if state is None or state.span_id_used:
                    return super().generate_span_id()
                state.span_id_used = True
                return int(state.span_id, 16)

        # Without it a call made for a request that its caller left out starts a trace.
        class RequestDecision(Sampler):
            def use(self, ratio: float) -> None:
                self._outside = TraceIdRatioBased(ratio)

            def should_sample(self, *args: Any, **options: Any) -> SamplingResult:
                state = current.get()
                if state is None:
                    return self._outside.should_sample(*args, **options)
                decided = ALWAYS_ON if state.traced else ALWAYS_OFF
                return decided.should_sample(*args, **options)

            def get_description(self) -> str:
                return f"RequestDecision({self._outside.get_description()})"

        pod = {
            "k8s.pod.name": environ.get("POD_NAME"),
            "k8s.namespace.name": environ.get("POD_NAMESPACE"),
            "k8s.node.name": environ.get("NODE_NAME"),
        }
        self._sampler = RequestDecision()
        resource = Resource.create({**service, **{k: v for k, v in pod.items() if v}})
        self._provider = TracerProvider(
            sampler=ParentBased(root=self._sampler),
            resource=resource,
            shutdown_on_exit=False,  # `close` does it, within a bound
            id_generator=RequestIds(),
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        propagate.set_global_textmap(_RequestPropagator())
        self.telemetry = {
            "tracer_provider": self._provider,
            "tracing": True,
            "metrics": False,  # Prometheus counts, at a tenth of the cost
            "logs": False,
            "operation_spans": False,
            "exclude": lambda _: (state := current.get()) is None or not state.traced,
        }

    def update(self, *, sample_ratio: float, **_: Any) -> None:
        """Take over the settings, from the next trace on.

        Raises:
            ValueError: the ratio is not between 0 and 1; nothing has changed.
        """
        if self.enabled:
            self._sampler.use(sample_ratio)

    def tracer(self) -> trace.Tracer:
        """Where spans of outbound calls come from; a no-op where tracing is off."""
        provider = self._provider or trace.NoOpTracerProvider()
        tracer: trace.Tracer = provider.get_tracer("service")
        return tracer

    async def close(self) -> None:
        """Export what is left; cancelling it leaves that behind.

        In a daemon thread: the SDK's own timeouts are ignored when the collector hangs, and
        the event loop has to hear a second signal meanwhile.
        """
        if self._provider is None:
            return
        loop = asyncio.get_running_loop()
        flushed = asyncio.Event()

        def flush() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # the loop closed while the collector hung
                loop.call_soon_threadsafe(flushed.set)

        threading.Thread(target=flush, name="telemetry-flush", daemon=True).start()
        await flushed.wait()


def open_tracing(
    closing: Closing, tracing: Live[Any], info: Mapping[str, str], environ: Mapping[str, str]
) -> Tracing:
    """Tracing as the settings have it, now and after each change; see `Tracing`.

    Args:
        info: at least `name` and `version` of the service.
    """
    service = {f"service.{name}": info[name] for name in ("name", "version")}
    opened = Tracing(service=service, ratio=tracing.now.sample_ratio, environ=environ)
    closing.add("telemetry", opened.close)
    tracing.follow(opened.update)
    return opened


class _RequestPropagator(textmap.TextMapPropagator):
    """Gives OpenTelemetry the parent that `RequestContext` has parsed already, and only that."""

    def extract(
        self,
        carrier: Any,
        context: Context | None = None,
        getter: textmap.Getter[Any] = textmap.default_getter,
    ) -> Context:
        state = current.get()
        context = context if context is not None else Context()
        if state is None or not state.parent_span_id:
            return context
        parent = SpanContext(
            trace_id=int(state.trace_id, 16),
            span_id=int(state.parent_span_id, 16),
            is_remote=True,
            trace_flags=TraceFlags(TraceFlags.SAMPLED if state.traced else TraceFlags.DEFAULT),
            trace_state=TraceState.from_header([state.tracestate]) if state.tracestate else None,
        )
        return trace.set_span_in_context(NonRecordingSpan(parent), context)

    def inject(
        self,
        carrier: Any,
        context: Context | None = None,
        setter: textmap.Setter[Any] = textmap.default_setter,
    ) -> None:
        state = current.get()
        if state is not None:
            setter.set(carrier, "traceparent", traceparent(state))
            if state.tracestate:
                setter.set(carrier, "tracestate", state.tracestate)

    @property
    def fields(self) -> set[str]:
        return {"traceparent", "tracestate"}
