"""Layer 1: who is this request. Every later layer reads what is set here."""

import random
import re
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import deadlines
from ..context import LOW_64_BITS, RequestState, current
from ..observability.sampling import Sampling

TRACEPARENT = re.compile(
    rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?"
)
NOTHING = b"0" * 32
# Bounded, and without characters that could forge a log line or split a header.
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
# W3C asks for at least 512 characters to be passed on; more is dropped whole.
MAX_TRACESTATE = 512
_READ = frozenset(
    {
        b"traceparent",
        b"tracestate",
        b"x-request-id",
        b"x-request-timeout-ms",
        b"x-envoy-expected-rq-timeout-ms",
    }
)


class RequestContext:
    """Sets the request's state: ids, trace context, the sampling decision, the caller's budget.

    Headers are read in one pass. What is malformed is ignored: a bad `traceparent` starts a
    new trace, a bad `X-Request-Id` is replaced, a bad budget leaves the server's limit.
    """

    def __init__(self, app: ASGIApp, *, sampling: Sampling) -> None:
        self.app = app
        self._sampling = sampling

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = self._state(scope)
        if not state.traced:
            # FastAPI's own mark for "leave this one out"; its `exclude` costs 6 µs to say so.
            scope["fastapi.telemetry"] = None
        request_id = (b"x-request-id", state.request_id.encode())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                state.status = message["status"]
                message["headers"] = [*message.get("headers", ()), request_id]
                if state.faults:
                    message["headers"].append((b"x-injected-fault", state.faults.encode()))
            elif not message.get("more_body", False):
                state.completed = time.monotonic()
            if state.stream:
                state.last_sent = time.monotonic()
            await send(message)

        token = current.set(state)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            current.reset(token)

    def report(self) -> dict[str, Any]:
        """The share of requests that is logged, and of those that start a trace here, traced."""
        return self._sampling.report()

    def _state(self, scope: Scope) -> RequestState:
        headers = [pair for pair in scope["headers"] if pair[0] in _READ]
        draw = random.getrandbits(128)
        trace_id = draw.to_bytes(16, "big").hex()
        state = RequestState(time.monotonic(), trace_id, "", scope["headers"])
        state.request_id = state.trace_id
        traced = None
        if headers:
            traced = _read(headers, state)
            draw = int(state.trace_id, 16)
        draw &= LOW_64_BITS
        state.traced = self._sampling.traces(draw) if traced is None else traced
        state.sampled = self._sampling.logs(draw, scope["method"], scope["path"])
        return state


def _read(headers: list[tuple[bytes, bytes]], state: RequestState) -> bool | None:
    """Take over what the caller sent; returns its sampling decision, None without a trace."""
    traceparents: list[bytes] = []
    tracestates: list[bytes] = []
    for name, value in headers:
        if name == b"traceparent":
            traceparents.append(value)
        elif name == b"tracestate":
            tracestates.append(value)
        elif name == b"x-request-id":
            if REQUEST_ID.fullmatch(value):
                state.request_id = value.decode("ascii")
        else:
            budget = deadlines.parse_milliseconds(value)
            # Envoy's 0 means "no timeout"; ours means that the caller has no time left.
            if budget or (budget == 0 and name == b"x-request-timeout-ms"):
                state.cap = min(state.cap, state.begun + budget)
    if len(traceparents) != 1 or (match := TRACEPARENT.fullmatch(traceparents[0])) is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == b"ff" or (version == b"00" and rest) or NOTHING in (trace_id, span_id * 2):
        return None
    own_id = state.trace_id
    state.trace_id = trace_id.decode()
    if state.request_id == own_id:
        state.request_id = state.trace_id
    state.parent_span_id = span_id.decode()
    tracestate = b",".join(tracestates)
    if len(tracestate) <= MAX_TRACESTATE:
        state.tracestate = tracestate.decode("latin-1")
    return bool(int(flags, 16) & 1)
