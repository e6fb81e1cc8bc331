"""Layer 6: delay, abort or drip on purpose, to see what the callers do. Off unless switched on."""

import asyncio
import time
from collections.abc import Collection

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..active_faults import SPAN_ATTRIBUTE, ActiveFaults
from ..context import RequestState, current
from ..faults import Fault
from .problems import Problem


class FaultInjection:
    """Does to requests what the active faults say; `RequestContext` marks the responses.

    Args:
        exempt: paths that no fault touches, the probes: one that does not answer is a
            restart, which is no experiment.
        tracer: for requests that do not come as far as FastAPI, which makes the spans of others.
    """

    def __init__(
        self, app: ASGIApp, *, faults: ActiveFaults, exempt: Collection[str], tracer: trace.Tracer
    ) -> None:
        self.app = app
        self._faults = faults
        self._exempt = frozenset(exempt)
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            not self._faults.requests
            or scope["type"] != "http"
            or scope["path"] in self._exempt
            or (fault := self._faults.for_request(scope["method"], scope["path"])) is None
        ):
            await self.app(scope, receive, send)
        else:
            await self._inject(fault, scope, receive, send)

    def report(self) -> dict[str, int]:
        """How many faults are on that concern requests."""
        return {"active": len(self._faults.requests)}

    async def _inject(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.time_ns()
        passed_on = False

        async def send_slowly(message: Message) -> None:
            if message["type"] == "http.response.start":
                trace.get_current_span().set_attribute(SPAN_ATTRIBUTE, fault.mark)
            elif fault.body_delay:
                await asyncio.sleep(fault.body_delay)
            await send(message)

        try:
            if fault.delay:
                await asyncio.sleep(fault.delay)
            if fault.abort_status:
                await Problem(fault.abort_status, "An injected fault.").send(send_slowly)
            else:
                passed_on = True
                await self.app(scope, receive, send_slowly)
        finally:
            state = current.get()
            if not passed_on and state is not None and state.traced:
                self._record(scope, state, fault.mark, began)

    def _record(self, scope: Scope, state: RequestState, mark: str, began: int) -> None:
        """The span of a request that was aborted, or whose time was up while it slept."""
        attributes = {"http.request.method": scope["method"], "url.path": scope["path"]}
        span = self._tracer.start_span(
            scope["method"],
            context=propagate.extract({}),
            kind=SpanKind.SERVER,
            attributes={**attributes, SPAN_ATTRIBUTE: mark},
            start_time=began,
        )
        if state.status:
            span.set_attribute("http.response.status_code", state.status)
        if not 0 < state.status < 500:
            span.set_status(StatusCode.ERROR)
        span.end()


def fault_routes(app: FastAPI, exempt: Collection[str]) -> frozenset[str]:
    """What a fault may name: `"METHOD /path/{template}"` of every route but the exempt ones."""
    return frozenset(
        f"{method} {route.path}"
        for route in iter_route_contexts(app.routes)
        if route.path not in exempt
        for method in route.methods or ()
    )
