"""From a record's fields to its line: JSON for machines, a readable line for people.

Nothing that a caller passes can break it, and no credential gets through.
"""

import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from ..context import current
from ..masking import AT, masked_line
from .traces import current_span_id

Render = Callable[[dict[str, Any]], bytes]
# Never in a log, whoever passes them: a leaked credential in a log is an incident of its own.
SECRET_FIELDS = frozenset(
    {"authorization", "cookie", "set-cookie", "password", "secret", "token", "body", "headers"}
)
_VALUE = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
_LINE = orjson.OPT_APPEND_NEWLINE | _VALUE


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
            line = orjson.dumps(record, default=_describe, option=_LINE)
        except (TypeError, ValueError):  # 65-bit integers, lone surrogates: never worth a crash
            plain = {_text(k): _plain(v) for k, v in record.items()}
            line = orjson.dumps(plain, option=_LINE)
        return masked_line(line) if AT in line else line


class RenderConsole:
    """A record to one readable line for a person at a terminal."""

    def __init__(self, *, colours: bool) -> None:
        self._console = structlog.dev.ConsoleRenderer(colors=colours)

    def __call__(self, record: dict[str, Any]) -> bytes:
        complete(record)
        record["timestamp"] = record["timestamp"].astimezone().strftime("%H:%M:%S.%f")[:-3]
        for identifier in ("trace_id", "span_id"):
            record.pop(identifier, None)
        level = record["level"]
        try:
            line = self._console(None, level, record.copy())  # it takes its record apart
        except Exception:  # noqa: BLE001 - a value that cannot describe itself
            plain = {_text(k): _text(v) for k, v in record.items()}
            line = self._console(None, level, plain)
        return masked_line(f"{line}\n".encode("utf-8", "replace"))


def complete(record: dict[str, Any]) -> None:
    """Turn what the caller gave into the full record: instant, identifiers, exception, masks."""
    record["timestamp"] = datetime.fromtimestamp(record["timestamp"], UTC)
    state = current.get()
    if state is not None:
        record["request_id"] = state.request_id
        record["trace_id"] = state.trace_id
        record["span_id"] = current_span_id(state) if state.traced else state.span_id
        if state.bound:
            record |= state.bound | record
    if "exc_info" in record and (exc_info := record.pop("exc_info")):
        record["exception"] = _exception(exc_info)
    if not SECRET_FIELDS.isdisjoint(record):
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


def interpolate(event: str, args: Any) -> str:
    """`event % args`, whatever the arguments are."""
    try:
        text: str = event % args
    except Exception:  # noqa: BLE001 - a mistake in a log call must not fail the request
        return f"{event} {_describe(args)}"
    return text


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
