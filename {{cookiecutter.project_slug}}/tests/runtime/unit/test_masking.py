"""Credentials in addresses are not shown."""

import time

import pytest
import structlog

from steadfast_service.runtime.masking import (
    masked,
    masked_line,
    masked_tree,
)
from steadfast_service.runtime.observability import rendering

from ...support.records import Records

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"redis://:{SECRET}@host:6379/0", "redis://***@host:6379/0"),
        (f"at postgresql://user:{SECRET}@db/x failed", "at postgresql://***@db/x failed"),
        (f"https://{SECRET}@host/?to=me@example.org", "https://***@host/?to=me@example.org"),
        (f"amqp://u:p@{SECRET}@host", "amqp://***@host"),
        (f"a://u:{SECRET}@b,c://u:{SECRET}@d", "a://***@b,c://***@d"),
        (f"two: a://u:{SECRET}@b/ c://u:{SECRET}@d", "two: a://***@b/ c://***@d"),
        ("http://host/path?mail=me@example.org", "http://host/path?mail=me@example.org"),
        ("see http://host or mail me@example.org", "see http://host or mail me@example.org"),
        ("me@example.org", "me@example.org"),
        ("://", "://"),
        ("", ""),
    ],
)
def test_only_they_are_taken_out(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked_line(text.encode()).decode() == shown
    assert masked_tree({"a": [text, 1, None, (text,)]}) == {"a": [shown, 1, None, [shown]]}


def test_many_addresses_are_read_once() -> None:
    text = "x://" * 50_000
    assert masked(text) == text  # quadratic, it would take minutes


def test_no_log_record_has_them(records: Records) -> None:
    url = f"postgresql://user:{SECRET}@db:5432/orders"
    try:
        raise OSError(f"cannot reach {url}")
    except OSError:
        structlog.get_logger().exception("failed", url=url, tried=[{"at": url}])
    [record] = records.all()
    assert record["url"] == "postgresql://***@db:5432/orders"
    assert record["tried"] == [{"at": "postgresql://***@db:5432/orders"}]
    assert record["exception"].endswith("OSError: cannot reach postgresql://***@db:5432/orders")
    assert SECRET.encode() not in records.lines[0]


def test_nor_has_a_line_for_people() -> None:
    record = {"timestamp": time.time(), "level": "info", "event": f"at x://u:{SECRET}@host"}
    line = rendering.renderer("console", service="tested", colours=False)(record)
    assert b"at x://***@host" in line
