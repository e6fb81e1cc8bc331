"""structlog at its fastest: one fused processor, orjson, one write, sampling before the work.

A record outside a request is always written. Inside a request the sampling decision
(taken once, see `sampling`) says whether a record is written as it comes. If not, it is
held, unrendered, in a bounded buffer of the request: dropped when the request ends well,
written when it fails or is slow. An error is always written, and brings the held records
with it. What a request has written stays with it, for `failures`.
"""

import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

from ..context import RequestState, current
from .excerpts import shortened
from .failures import LINE_BYTES
from .levels import LEVELS, Levels
from .rendering import Render, RenderJSON, interpolate


class Writer(Protocol):
    """Where finished lines go; `writers` has the two kinds."""

    dropped: int

    def write(self, line: bytes) -> None: ...
    def close(self, timeout: float) -> None: ...


class Pipeline:
    """What every logger of the process shares: levels, story size, counts and the writer.

    `written` and `sampled` count records by level.
    """

    writer: Writer
    render: Render
    as_json: Render | None  # for the stories, where `render` makes lines for people
    story_size: int

    def __init__(self) -> None:
        self.levels = Levels()
        self.written = dict.fromkeys(LEVELS, 0)
        self.sampled = dict.fromkeys(LEVELS, 0)

    def update(self, *, level: str, levels: Mapping[str, str], story_size: int, **_: Any) -> None:
        """Take over the settings; loggers that were made before follow.

        Args:
            level: of the root; records below it are not even built.
            levels: of single loggers and those below them, ours or the standard library's.
            story_size: how many records a silent request may hold back.

        Raises:
            ValueError: there is no such level; nothing has changed.
        """
        self.levels.update(level, levels)
        self.story_size = story_size

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
        state = current.get()
        if state is None:
            return self.render(record)
        if self.as_json is None:
            told = line = self.render(record)
        else:
            told, line = self.as_json(record.copy()), self.render(record)
        if len(told) > LINE_BYTES:
            told = shortened(told, LINE_BYTES)
        story = state.story
        if story is None:
            state.story = [told]
        else:
            story.append(told)
            if len(story) > self.story_size + 1:  # one more is the record of the request's end
                del story[0]
        return line


def _method(level: str) -> Callable[..., None]:
    number = LEVELS[level]
    always = number >= LEVELS["error"]

    def log(self: "Logger", event: str, *args: Any, **fields: Any) -> None:
        if number < self._threshold.number:
            return
        if args:
            event = interpolate(event, args)
        pipeline = self._logger
        state = current.get()
        if state is not None and not state.sampled:
            if always:
                pipeline.tell(state)
            else:
                if fields.get("exc_info") is True:  # by the time it is told, that is over
                    fields["exc_info"] = sys.exc_info()[1]
                if state.held is None:
                    pipeline.hold(state, (self, time.time(), level, event, fields))
                else:
                    state.held.append((self, time.time(), level, event, fields))
                return
        self.emit(time.time(), level, event, fields)

    log.__name__ = level
    return log


class Logger(structlog.BoundLoggerBase):
    """structlog's bound logger with the sampling decision in front of the processors."""

    _logger: Pipeline

    def __init__(self, logger: Pipeline, processors: Any, context: Any) -> None:
        super().__init__(logger, processors, context)
        self._threshold = logger.levels.threshold(context.get("logger"))

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


class _Bridge(logging.Handler):
    """Sends the standard library's records, those of third-party code, down the same pipeline."""

    def emit(self, record: logging.LogRecord) -> None:
        fields = {"exc_info": record.exc_info} if record.exc_info else {}
        logger: Logger = structlog.get_logger().bind(logger=record.name)
        event = interpolate(str(record.msg), record.args) if record.args else str(record.msg)
        logger.log(record.levelno, event, **fields)


def configure(writer: Writer, render: Render, *, level: str, story_size: int) -> Pipeline:
    """Make `structlog.get_logger()` and `logging.getLogger()` both end in `writer`.

    Process-wide, as both libraries are. Called again it changes the pipeline in place, so
    that loggers which were made before follow.
    """
    factory = structlog.get_config()["logger_factory"]
    pipeline = factory if isinstance(factory, Pipeline) else Pipeline()
    pipeline.writer = writer
    pipeline.render = render
    pipeline.as_json = None if isinstance(render, RenderJSON) else RenderJSON()
    pipeline.levels.release_all()  # the event loop of a service before may be gone
    pipeline.update(level=level, levels={}, story_size=story_size)
    structlog.configure(
        processors=[pipeline.process],
        wrapper_class=Logger,
        logger_factory=pipeline,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Bridge()], force=True)
    return pipeline
