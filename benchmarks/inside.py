"""Costs inside the process, without sockets: per layer of the chain, and per log record.

Run by the service's own interpreter: `python -m benchmarks.inside ROUNDS`. CPU time, the
variants of a row interleaved within each round; a round takes the best of its repetitions.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import structlog
import uvloop
from orders.app import open_service
from orders.runtime.context import RequestState, current
from orders.runtime.http import chain
from orders.runtime.http.fault_injection import Fault
from orders.runtime.observability import logs, metrics, rendering
from orders.runtime.observability.sampling import Sampling
from orders.runtime.observability.writers import DirectWriter, RingWriter
from orders.runtime.watchdog import Watchdog
from orders.settings import Settings

from .bare import bare_app
from .table import line

NULL = os.open(os.devnull, os.O_WRONLY)
HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"),
    (b"accept", b"application/json, text/plain, */*"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"accept-language", b"en"),
    (b"connection", b"keep-alive"),
    (b"cookie", b"session=0123456789abcdef"),
    (b"referer", b"http://127.0.0.1:8000/docs"),
]
FIELDS = {"order_id": "ord_1", "amount": 900, "currency": "EUR", "ok": True, "n": 3, "p": 0.5}


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(_: Any) -> None:
    return None


def _scope() -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/api/version",
        "raw_path": b"/api/version",
        "query_string": b"",
        "root_path": "",
        "headers": HEADERS,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }


async def _request_cost(app: Any, requests: int = 2000) -> float:
    """Microseconds of CPU per request, the best of three."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        for _ in range(requests):
            await app(_scope(), _receive, _send)
        best = min(best, (time.process_time() - begun) / requests * 1e6)
    return best


def _record_cost(log: Callable[[], None], records: int = 20_000) -> float:
    """Microseconds of CPU per call, the best of three."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        for _ in range(records):
            log()
        best = min(best, (time.process_time() - begun) / records * 1e6)
    return best


def _rows(rounds: list[dict[str, float]], names: list[str]) -> dict[str, list[float]]:
    return {name: [each[name] for each in rounds] for name in names}


def _layers(pipeline: logs.Pipeline) -> list[chain.Layer]:
    return chain.layers(
        sampling=Sampling(rate=0.001, key_rate=0.05, key_routes=(), trace_ratio=0),
        metrics=metrics.Metrics(),
        pipeline=pipeline,
        watchdog=Watchdog(stream_idle=30),
        request_timeout=5,
        slow_request=1,
        max_in_flight=1000,
        fault=Fault(),
    )


async def layers(rounds: int) -> None:
    """What each layer adds to FastAPI, and what FastAPI itself costs."""
    settings = Settings.model_validate(
        {"environment": "production", "log": {"writer": "direct"}}
        | {"dependencies": {"payments": {"url": "http://127.0.0.1:9"}}}
        | {"database": {"url": "sqlite:///benchmark.db"}}
    )
    pipeline = logs.configure(
        DirectWriter(NULL), rendering.RenderJSON(service="orders"), level="info", story_size=64
    )
    async with open_service(settings, pipeline) as service:
        apps: dict[str, Any] = {"bare FastAPI": bare_app(), "the service's FastAPI": service.api}
        for count in range(1, len(_layers(pipeline)) + 1):
            every = _layers(pipeline)
            name = getattr(every[count - 1], "func", every[count - 1]).__name__
            apps[name] = chain.wrap(service.api, every[:count])
        results = [
            {name: await _request_cost(app) for name, app in apps.items()} for _ in range(rounds)
        ]
        names = list(apps)
        rows = _rows(results, names)
        print("\nPer layer, in-process, CPU time")
        print(line("bare FastAPI, GET /api/version", rows[names[0]], "µs"))
        for before, name in pairwise(names):
            added = [b - a for a, b in zip(rows[before], rows[name], strict=True)]
            print(line(f"  {name} adds", added, "µs"))
        ratios = [a / b for a, b in zip(rows[names[0]], rows[names[-1]], strict=True)]
        print(line("whole chain: share of bare FastAPI's throughput", ratios))


def records(rounds: int) -> None:
    """A log record: written, sampled out, and as others write it."""
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
        logger_factory=structlog.BytesLoggerFactory(Path(os.devnull).open("wb")),  # noqa: SIM115
    )
    structlog.contextvars.bind_contextvars(request_id="1" * 32, trace_id="2" * 32)
    fastest = structlog.get_logger().bind()
    plain = _standard_library()
    pipeline = logs.configure(
        DirectWriter(NULL), rendering.RenderJSON(service="orders"), level="info", story_size=64
    )
    log = structlog.get_logger().bind()
    sampled = RequestState(0.0, "2" * 32, "1" * 32)
    silent = RequestState(0.0, "2" * 32, "1" * 32)
    silent.sampled = False
    ring, direct = RingWriter(NULL, 100_000), pipeline.writer

    def nothing(_event: str, **_fields: Any) -> None:
        return None

    def with_state(state: RequestState, writer: Any, call: Callable[[], None]) -> float:
        current.set(state)
        pipeline.writer = writer
        return _record_cost(call)

    def discarded() -> None:
        log.info("order placed", **FIELDS)
        pipeline.forget(silent)

    def one_round() -> dict[str, float]:
        base = _record_cost(lambda: nothing("order placed", **FIELDS))
        info = lambda: log.info("order placed", **FIELDS)  # noqa: E731 - one call, timed as one
        costs = {
            "fastest": _record_cost(lambda: fastest.info("order placed", **FIELDS)),
            "stdlib": _record_cost(lambda: plain.info("order placed", extra={"fields": FIELDS})),
            "written": with_state(sampled, direct, info),
            "ring": with_state(sampled, ring, info),
            "held": with_state(silent, direct, info),
            "discarded": with_state(silent, direct, discarded),
            "below": with_state(sampled, direct, lambda: log.debug("order placed", **FIELDS)),
        }
        return {name: cost - base for name, cost in costs.items()}

    results = [one_round() for _ in range(rounds)]
    rows = _rows(results, list(results[0]))
    shares = {
        name: [a / b for a, b in zip(rows[name], rows["fastest"], strict=True)] for name in rows
    }
    print("\nA log record of 6 fields and 3 ids, CPU time on top of an empty call")
    print(line("structlog as its documentation's fastest", rows["fastest"], "µs"))
    print(line("standard library with orjson", rows["stdlib"], "µs"))
    print(line("written, direct", rows["written"], "µs", "<= 3.5"))
    print(line("  of structlog's documented fastest", shares["written"], "", "<= 0.6"))
    print(line("written, through the ring", rows["ring"], "µs"))
    print(line("sampled out: held for the story", rows["held"], "µs", "<= 0.5"))
    print(line("  of structlog's documented fastest", shares["held"], "", "<= 0.1"))
    print(line("sampled out: held, then dropped at the request's end", rows["discarded"], "µs"))
    print(line("below the level", rows["below"], "µs"))


def _standard_library() -> logging.Logger:
    class Format(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            fields = {
                "timestamp": record.created,
                "level": record.levelname,
                "event": record.getMessage(),
                "request_id": "1" * 32,
                "trace_id": "2" * 32,
                **record.fields,  # type: ignore[attr-defined]
            }
            return orjson.dumps(fields).decode()

    logger = logging.getLogger("benchmark")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.StreamHandler(Path(os.devnull).open("w"))  # noqa: SIM115
    handler.setFormatter(Format())
    logger.addHandler(handler)
    return logger


if __name__ == "__main__":
    number = int(sys.argv[1])
    uvloop.run(layers(number))
    records(number)
