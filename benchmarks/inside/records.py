"""What a log record costs: written, sampled out, and as others write it.

One call with six fields, in a request with its ids, to /dev/null; CPU time less that of an
empty function with the same arguments. Every logger is bound once beforehand. structlog is
set up as the fastest of its documentation (its page on performance): cached loggers, a
filtering bound logger, orjson, bytes; with the processors that such a record needs.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from orders.runtime.context import RequestState, current
from orders.runtime.observability import logs, rendering
from orders.runtime.observability.writers import DirectWriter, RingWriter

from ..table import Row
from .clock import Rounds, in_turns, minus, over, per_call, report

TRACE_ID, REQUEST_ID = "2" * 32, "1" * 32
EVENT = "order placed"
FIELDS: dict[str, Any] = {
    "order_id": "ord_01hzx3",
    "customer_id": "cus_1",
    "currency": "EUR",
    "amount": 900,
    "items": 3,
    "express": True,
}
NOTHING, FASTEST, STDLIB = "nothing", "structlog, its documented fastest", "logging with orjson"
WRITTEN, HELD = "written", "sampled out: held for the story"
Log = Callable[..., Any]


def null() -> int:
    """Where all records go."""
    return os.open(os.devnull, os.O_WRONLY)


def documented_fastest() -> Any:
    """structlog's own recommendation, with the ids bound by context variables."""
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(os.fdopen(null(), "wb")),
    )
    structlog.contextvars.bind_contextvars(request_id=REQUEST_ID, trace_id=TRACE_ID)
    return structlog.get_logger().bind()


def standard_library() -> logging.Logger:
    """The logging module with a formatter as one would write it for orjson."""
    ids: ContextVar[dict[str, str]] = ContextVar("ids")
    ids.set({"request_id": REQUEST_ID, "trace_id": TRACE_ID})

    class Format(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            fields = {
                "timestamp": datetime.fromtimestamp(record.created, UTC),
                "level": record.levelname,
                "event": record.getMessage(),
                **ids.get(),
                **record.__dict__["fields"],
            }
            return orjson.dumps(fields).decode()

    logger = logging.getLogger("peer")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.StreamHandler(os.fdopen(null(), "w"))
    handler.setFormatter(Format())
    logger.addHandler(handler)
    return logger


def request(*, sampled: bool) -> RequestState:
    """A request under way."""
    state = RequestState(time.monotonic(), TRACE_ID, REQUEST_ID)
    state.sampled = sampled
    return state


def nothing(_event: str, **_fields: Any) -> None:
    """What any call with these arguments costs."""


def main(rounds: int) -> None:
    """Set the loggers up, measure them in turns, print the rows."""
    peer, standard = documented_fastest(), standard_library()
    direct, ring = DirectWriter(null()), RingWriter(null(), 1_000_000)
    pipeline = logs.configure(
        direct, rendering.RenderJSON(service="orders"), level="info", story_size=64
    )
    ours = structlog.get_logger().bind()
    silent = request(sampled=False)

    def cost(
        log: Log,
        state: RequestState | None = None,
        *,
        writer: logs.Writer = direct,
        clock: Callable[[], float] = time.process_time,
    ) -> Callable[[], float]:
        def measure() -> float:
            current.set(state)
            pipeline.writer = writer
            return per_call(lambda: log(EVENT, **FIELDS), clock=clock)

        return measure

    def held_and_dropped(event: str, **fields: Any) -> None:
        ours.info(event, **fields)
        pipeline.forget(silent)

    sampled = request(sampled=True)
    values = in_turns(
        {
            NOTHING: cost(nothing),
            FASTEST: cost(peer.info),
            STDLIB: cost(lambda event, **fields: standard.info(event, extra={"fields": fields})),
            WRITTEN: cost(ours.info, sampled),
            "written, outside of a request": cost(ours.info),
            "written, through the ring: caller": cost(
                ours.info, sampled, writer=ring, clock=time.thread_time
            ),
            "written, through the ring: with its thread": cost(ours.info, sampled, writer=ring),
            HELD: cost(ours.info, silent),
            "sampled out: held, dropped at the request's end": cost(held_and_dropped, silent),
            "below the level": cost(ours.debug, sampled),
            f"{FASTEST}: below the level": cost(peer.debug),
        },
        rounds,
    )
    if ring.dropped:
        sys.exit("make bench: the ring dropped records; they are not what is measured")
    _report({name: minus(value, values[NOTHING]) for name, value in values.items()})


def _report(values: Rounds) -> None:
    targets = {WRITTEN: "<= 3.5", HELD: "<= 0.5"}
    costs = [
        Row(name, value, "µs", targets.get(name, ""))
        for name, value in values.items()
        if name != NOTHING
    ]
    ratios = [
        Row(f"log record, {what} / {peer}", over(values[what], values[peer]), target=target)
        for what, peer, target in (
            (WRITTEN, FASTEST, "<= 0.6"),
            (HELD, FASTEST, "<= 0.1"),
            (WRITTEN, STDLIB, ""),
        )
    ]
    report(ratios=ratios, costs=costs)


if __name__ == "__main__":
    main(int(sys.argv[1]))
