"""What is recorded of an evaluation."""

import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
from openfeature.evaluation_context import EvaluationContext
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import (
    InMemorySpanExporter,
)

from ...support.flags import Opened, flag, opened, request
from ...support.records import Records


@pytest.fixture
async def flags() -> AsyncIterator[Opened]:
    """One that is on, one that is off, one that needs a key."""
    async with opened(new=flag(), old=flag(enabled=False), split=flag(percentage=50)) as it:
        yield it


async def test_later_records_of_the_request_say_what_it_was_decided_by(
    flags: Opened, records: Records
) -> None:
    log, client = structlog.get_logger(), flags.client
    with request():
        log.info("before")
        client.get_boolean_value("new", False)
        log.info("after one")
        await client.get_boolean_value_async("old", True)
        client.get_boolean_value("split", True)
        client.get_boolean_value("absent", True)
        log.info("after all")
    client.get_boolean_value("new", False)
    log.info("no request")
    assert "flags" not in records.of("before")[0]
    assert records.of("after one")[0]["flags"] == {"new": "on"}
    assert records.of("after all")[0]["flags"] == {
        "new": "on",
        "old": "off",
        "split": "default",
        "absent": "default",
    }
    assert "flags" not in records.of("no request")[0]


async def test_evaluations_are_counted_by_what_came_of_them(flags: Opened) -> None:
    for _ in range(3):
        flags.client.get_boolean_value("new", False)
    flags.client.get_boolean_value("old", False)
    flags.client.get_boolean_value("split", False)
    await flags.client.get_string_value_async("new", "")
    assert flags.counted(flag="new", variant="on", reason="static") == 3
    assert flags.counted(flag="old", variant="off", reason="disabled") == 1
    failed = {"flag": "split", "variant": "default", "reason": "targeting_key_missing"}
    assert flags.counted(**failed) == 1
    assert flags.counted(flag="new", variant="default", reason="type_mismatch") == 1


async def test_names_of_no_flag_share_one_label(flags: Opened) -> None:
    for number in range(100):
        flags.client.get_boolean_value(f"made_up_{number}", False)
    failed = {"flag": "unknown", "variant": "default", "reason": "flag_not_found"}
    assert flags.counted(**failed) == 100
    collected = flags.metrics.registry.collect()
    [family] = [one for one in collected if one.name == "feature_flag_evaluations"]
    assert {sample.labels["flag"] for sample in family.samples} == {"unknown"}


async def test_threads_lose_no_count(flags: Opened) -> None:
    def ask() -> None:
        for _ in range(500):
            flags.client.get_boolean_value("new", False)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert flags.counted(flag="new", variant="on", reason="static") == 2000


def events(flags: Opened, *, recorded: bool) -> list[dict[str, Any]]:
    """The attributes of what one span has been told."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("tests").start_as_current_span("work") as span:
        if not recorded:
            span.end()
        flags.client.get_boolean_value("new", False, EvaluationContext("cus_1"))
        flags.client.get_boolean_value("split", True)
        flags.client.get_object_value("absent", {"a": 1})
    provider.shutdown()
    [finished] = exporter.get_finished_spans()
    assert {event.name for event in finished.events} <= {"feature_flag.evaluation"}
    return [dict(event.attributes or {}) for event in finished.events]


async def test_a_recorded_span_has_an_event_in_standard_terms(flags: Opened) -> None:
    failed = {"feature_flag.provider.name": "settings", "feature_flag.result.reason": "error"}
    assert events(flags, recorded=True) == [
        {
            "feature_flag.key": "new",
            "feature_flag.provider.name": "settings",
            "feature_flag.result.reason": "static",
            "feature_flag.result.variant": "on",
        },
        {
            **failed,
            "feature_flag.key": "split",
            "feature_flag.result.value": True,
            "error.type": "targeting_key_missing",
        },
        {**failed, "feature_flag.key": "absent", "error.type": "flag_not_found"},
    ]


async def test_a_span_that_is_not_recorded_is_told_nothing(
    flags: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    assert events(flags, recorded=False) == []
    # The SDK warns of an event that comes too late.
    assert not [record for record in caplog.records if "event" in record.getMessage()]
