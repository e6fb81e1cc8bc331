"""What one request carries through the process, in one context variable.

Every part that needs to know "which request is this" reads `current`: logs, traces,
deadlines, the outbound client. `RequestContext`, the outermost middleware, sets it.
"""

import random
from collections import deque
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

LOW_64_BITS = (1 << 64) - 1
NO_DEADLINE = float("inf")


class RequestState:
    """The mutable state of one request; only the request's own task and its children write it.

    Instants are seconds of `time.monotonic()`.
    """

    __slots__ = (
        "_span_id",
        "begun",
        "bound",
        "cap",
        "client_gone",
        "completed",
        "deadline",
        "faults",
        "headers",
        "held",
        "last_sent",
        "parent_span_id",
        "principal",
        "request_id",
        "route",
        "sampled",
        "shed",
        "span_id_used",
        "status",
        "story",
        "stream",
        "trace_id",
        "traced",
        "tracestate",
    )

    def __init__(
        self,
        begun: float,
        trace_id: str,
        request_id: str,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self.begun = begun
        self.trace_id = trace_id  # 32 lower-case hex digits
        self.request_id = request_id
        self.headers = headers  # as ASGI has them: names in lower case, in their order
        self.parent_span_id = ""  # 16 hex digits, empty at the root of a trace
        self.tracestate = ""
        self.traced = False  # a span is recorded for this request
        self.sampled = True  # log records are written as they come
        self.bound: dict[str, Any] | None = None  # fields that every record of the request gets
        self.held: deque[Any] | None = None  # records that wait to see how the request ends
        self.story: list[bytes] | None = None  # those that were written, as JSON
        self.deadline = NO_DEADLINE
        self.cap = NO_DEADLINE  # the latest instant that the caller allows
        self.stream = False
        self.principal: Mapping[str, Any] | None = None  # the verified claims of the caller
        self.status = 0  # 0 until the response starts
        self.completed = 0.0  # 0 until the last byte was handed to the server
        self.last_sent = 0.0
        self.client_gone = False
        self.shed = False  # refused before any work was done
        self.faults = ""  # those injected into it, as its response says
        self.span_id_used = False
        self._span_id = ""

    @property
    def span_id(self) -> str:
        """The id of this request's own span, 16 hex digits; made when first asked for."""
        if not self._span_id:
            self._span_id = f"{random.getrandbits(64) or 1:016x}"
        return self._span_id

    def bind(self, **fields: Any) -> None:
        """Add fields to every later log record of this request."""
        if self.bound is None:
            self.bound = {}
        self.bound.update(fields)


current: ContextVar[RequestState | None] = ContextVar("request_state", default=None)
