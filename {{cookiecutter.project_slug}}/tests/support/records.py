"""A log stream that a test can read."""

from typing import Any

import orjson
import structlog

from steadfast_service.runtime.observability import logs, rendering


class Strange:
    """A value whose description fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no description")


class Records:
    """A log writer that keeps what it gets."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.dropped = 0

    def write(self, line: bytes) -> None:
        self.lines.append(line)

    def close(self, timeout: float) -> None:
        """Nothing is pending."""

    def all(self) -> list[dict[str, Any]]:
        """Every record, parsed."""
        return [orjson.loads(line) for line in self.lines]

    def of(self, event: str) -> list[dict[str, Any]]:
        """The records of one event."""
        return [record for record in self.all() if record["event"] == event]

    def events(self) -> list[str]:
        """The events in the order in which they were written."""
        return [record["event"] for record in self.all()]


def record_logs(*, level: str = "info", story_size: int = 64) -> tuple[logs.Pipeline, Records]:
    """Send the log of this process, as JSON, to a new `Records`."""
    records = Records()
    render = rendering.renderer("json", service="tested", colours=False)
    return logs.configure(records, render, level=level, story_size=story_size), records


def ours(name: Any) -> Any:
    """One of our loggers."""
    return structlog.get_logger().bind(logger=name)
