"""structlog at its fastest: one fused processor, orjson, one write, sampling before the work.

A record outside a request is always written. Inside a request the sampling decision
(taken once, see `sampling`) says whether a record is written as it comes. If not, it is
held, unrendered, in a bounded buffer of the request: dropped when the request ends well,
written when it fails or is slow. An error is always written, and brings the held records
with it.
"""

import logging
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson
import structlog

from ..context import RequestState, current
from .traces import current_span_id

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
# Never in a log, whoever passes them: a leaked credential in a log is an incident of its own.
SECRET_FIELDS = frozenset(
    {"authorization", "cookie", "set-cookie", "password", "secret", "token", "body", "headers"}
)
_VALUE = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
_LINE = orjson.OPT_APPEND_NEWLINE | _VALUE


Render = Callable[[dict[str, Any]], bytes]


class Writer(Protocol):
    """Where finished lines go; `writers` has the two kinds."""

    dropped: int

    def write(self, line: bytes) -> None: ...
    def close(self, timeout: float) -> None: ...


class Pipeline:
    """What every logger of the process shares: threshold, story size, counts and the writer.

    `written` and `sampled` count records by level.
    """

    writer: Writer
    render: Render
    threshold: int
    story_size: int

    def __init__(self) -> None:
        self.written = dict.fromkeys(LEVELS, 0)
        self.sampled = dict.fromkeys(LEVELS, 0)

    def hold(self, state: RequestState, record: tuple[Any, ...]) -> None:
        """Keep a record of a silent request; the oldest leaves when the story is full."""
        held = state.held = deque(maxlen=self.story_size)
        held.append(record)

    def tell(self, state: RequestState) -> None:
        """Write what the request held back; what it logs from now on is written at once."""
        state.sampled = True
        held, state.held = state.held, None
        for logger, at, level, event, fields in held or ():
            logger.emit(at, level, event, fields)

    def forget(self, state: RequestState) -> None:
        """The request ended well and silently: its held records are dropped and counted."""
        held, state.held = state.held, None
        for record in held or ():
            self.sampled[record[2]] += 1

    # structlog's interfaces: the factory of loggers, and the one processor.

    def __call__(self, *_: Any) -> "Pipeline":
        return self

    def process(self, _: Any, __: str, record: Any) -> bytes:
        return self.render(record)


def _format(event: str, args: Any) -> str:
    try:
        return event % args
    except Exception:  # noqa: BLE001 - a mistake in a log call must not fail the request
        return f"{event} {_describe(args)}"


def _describe(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - its own description is broken
        return f"<{type(value).__name__}>"


def _plain(value: Any) -> Any:
    try:
        return orjson.Fragment(orjson.dumps(value, default=_describe, option=_VALUE))
    except (TypeError, ValueError):
        return _text(value)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else _describe(value)
    return text.encode("utf-8", "replace").decode()


def _method(level: str) -> Callable[..., None]:
    number = LEVELS[level]
    always = number >= LEVELS["error"]

    def log(self: "Logger", event: str, *args: Any, **fields: Any) -> None:
        pipeline = self._logger
        if number < pipeline.threshold:
            return
        if args:
            event = _format(event, args)
        state = current.get()
        if state is not None and not state.sampled:
            if always:
                pipeline.tell(state)
            elif state.held is None:
                pipeline.hold(state, (self, time.time(), level, event, fields))
                return
            else:
                state.held.append((self, time.time(), level, event, fields))
                return
        self.emit(time.time(), level, event, fields)

    log.__name__ = level
    return log


class Logger(structlog.BoundLoggerBase):
    """structlog's bound logger with the sampling decision in front of the processors."""

    _logger: Pipeline

    debug = _method("debug")
    info = _method("info")
    warning = _method("warning")
    error = _method("error")
    critical = _method("critical")

    def emit(self, at: float, level: str, event: str, fields: dict[str, Any]) -> None:
        """Render and write one record of the instant `at`, whatever the sampling says."""
        pipeline = self._logger
        record: Any = {"timestamp": at, "level": level, "event": event, **self._context, **fields}
        try:
            for process in self._processors:
                record = process(pipeline, level, record)
        except structlog.DropEvent:
            return
        pipeline.written[level] += 1
        pipeline.writer.write(record)

    def exception(self, event: str, *args: Any, **fields: Any) -> None:
        """`error` with the exception that is being handled."""
        fields.setdefault("exc_info", True)
        self.error(event, *args, **fields)

    def log(self, level: int, event: str, **fields: Any) -> None:
        """A record at a numeric level of the standard library."""
        name = next((n for n, number in reversed(LEVELS.items()) if level >= number), "debug")
        getattr(self, name)(event, **fields)


class RenderJSON:
    """A record to one line of JSON.

    Args:
        constant: fields that every record of the process carries, the service's name.
    """

    def __init__(self, **constant: str) -> None:
        self._constant = constant

    def __call__(self, record: dict[str, Any]) -> bytes:
        complete(record)
        record |= self._constant
        try:
            return orjson.dumps(record, default=_describe, option=_LINE)
        except (TypeError, ValueError):  # 65-bit integers, lone surrogates: never worth a crash
            plain = {_text(k): _plain(v) for k, v in record.items()}
            return orjson.dumps(plain, option=_LINE)


class RenderConsole:
    """A record to one readable line for a person at a terminal."""

    def __init__(self, *, colours: bool) -> None:
        self._console = structlog.dev.ConsoleRenderer(colors=colours)

    def __call__(self, record: dict[str, Any]) -> bytes:
        complete(record)
        record["timestamp"] = record["timestamp"].astimezone().strftime("%H:%M:%S.%f")[:-3]
        for identifier in ("trace_id", "span_id"):
            record.pop(identifier, None)
        line = self._console(None, record["level"], record)
        return f"{line}\n".encode("utf-8", "replace")


def complete(record: dict[str, Any]) -> None:
    """Turn what the caller gave into the full record: instant, identifiers, exception, masks."""
    record["timestamp"] = datetime.fromtimestamp(record["timestamp"], UTC)
    state = current.get()
    if state is not None:
        record["request_id"] = state.request_id
        record["trace_id"] = state.trace_id
        record["span_id"] = current_span_id(state) if state.traced else state.span_id
        for name, value in (state.bound or {}).items():
            record.setdefault(name, value)
    if "exc_info" in record and (exc_info := record.pop("exc_info")):
        record["exception"] = _exception(exc_info)
    if not record.keys().isdisjoint(SECRET_FIELDS):
        for name in SECRET_FIELDS.intersection(record):
            record[name] = "***"


def _exception(exc_info: Any) -> str:
    if isinstance(exc_info, BaseException):
        lines = traceback.format_exception(exc_info)
    else:
        lines = traceback.format_exception(
            *(exc_info if isinstance(exc_info, tuple) else sys.exc_info())
        )
    return "".join(lines).rstrip()


def renderer(form: str | None, *, service: str, colours: bool) -> Render:
    """`json` for machines, anything else for people."""
    return RenderJSON(service=service) if form == "json" else RenderConsole(colours=colours)


class _Bridge(logging.Handler):
    """Sends the standard library's records, those of third-party code, down the same pipeline."""

    def emit(self, record: logging.LogRecord) -> None:
        fields = {"exc_info": record.exc_info} if record.exc_info else {}
        logger: Logger = structlog.get_logger().bind(logger=record.name)
        event = _format(str(record.msg), record.args) if record.args else str(record.msg)
        logger.log(record.levelno, event, **fields)


def configure(writer: Writer, render: Render, *, level: str, story_size: int) -> Pipeline:
    """Make `structlog.get_logger()` and `logging.getLogger()` both end in `writer`.

    Process-wide, as both libraries are. Called again it changes the pipeline in place, so
    that loggers which were made before follow.

    Args:
        level: records below it are not even built.
        story_size: how many records a silent request may hold back.
    """
    factory = structlog.get_config()["logger_factory"]
    pipeline = factory if isinstance(factory, Pipeline) else Pipeline()
    pipeline.writer = writer
    pipeline.render = render
    pipeline.threshold = LEVELS[level]
    pipeline.story_size = story_size
    structlog.configure(
        processors=[pipeline.process],
        wrapper_class=Logger,
        logger_factory=pipeline,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Bridge()], level=pipeline.threshold, force=True)
    # They announce at info what the server's and the client's own records say already.
    for talkative in ("uvicorn.error", "httpx", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    return pipeline
