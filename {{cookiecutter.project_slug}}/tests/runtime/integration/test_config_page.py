"""`/config`, and what else an operator sees of a change of the settings."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from steadfast_service.runtime.config.reading import SourceError

from ...support.process import until
from ...support.serving import Served, served
from ...support.sources import Scripted, reading, state

SECRET = "hunter2hunter2hunter2"


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Served, Scripted]]:
    centre = state("centre", reading("1", log__level="warning"))
    assert isinstance(centre.source, Scripted)
    async with served(tmp_path, [centre], http={"grace": 3000}) as service:
        yield service, centre.source
    assert centre.source.closed


async def shown(service: Served) -> dict[str, Any]:
    page: dict[str, Any] = (await service.ops.get("/config")).json()
    return page


async def says(service: Served, source: Scripted, revision: str, **entries: Any) -> None:
    """The source changes, and the service has noticed."""
    before = service.config.journal.counts.total()
    source.say(reading(revision, **entries))
    await until(lambda: service.config.journal.counts.total() > before)


async def test_each_value_is_shown_with_its_layer(running: tuple[Served, Scripted]) -> None:
    service, source = running
    page = await shown(service)
    assert (page["status"], page["version"], page["revisions"]) == ("ok", 1, {"centre": "1"})
    settings = page["settings"]
    assert settings["APP_LOG__LEVEL"] == {"value": "warning", "source": "centre", "hot": True}
    assert settings["APP_HTTP__GRACE"] == {"value": 3000, "source": "arguments", "hot": False}
    assert settings["APP_LOG__STORY_SIZE"]["source"] == "default"
    await says(service, source, "2", log__level="info", flags__new__percentage="5")
    page = await shown(service)
    assert (page["version"], page["revisions"]) == (2, {"centre": "2"})
    assert page["settings"]["APP_FLAGS__NEW__PERCENTAGE"]["source"] == "centre"
    [reload] = page["reloads"]
    assert reload["changes"]["APP_LOG__LEVEL"] == {"before": "warning", "after": "info"}
    assert (reload["source"], reload["revision"], reload["version"]) == ("centre", "2", 2)
    [change] = service.records.of("configuration changed")
    assert change["changes"]["APP_LOG__LEVEL"] == "warning -> info"
    assert change["revision"] == "2"


async def test_a_refusal_is_seen_everywhere_and_hurts_nobody(
    running: tuple[Served, Scripted],
) -> None:
    service, source = running
    await says(service, source, "2", log__level="loud")
    page = await shown(service)
    assert (page["status"], page["version"]) == ("degraded", 1)
    assert page["sources"]["centre"]["status"] == "degraded"
    assert "APP_LOG__LEVEL: " in page["sources"]["centre"]["refused"]["reasons"][0]
    assert page["refusals"][0]["outcome"] == "refused"
    [record] = service.records.of("configuration refused")
    assert record["level"] == "error"
    assert await service.metric("config_reloads_total", outcome="refused") == 1
    assert await service.metric("config_source_up", source="centre") == 0
    ready = await service.client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert (await service.client.get("/api/version")).status_code == 200
    await says(service, source, "3", log__level="error")
    page = await shown(service)
    assert (page["status"], page["version"]) == ("ok", 2)
    assert await service.metric("config_version") == 2
    assert await service.metric("config_source_up", source="centre") == 1


async def test_a_lost_source_is_seen_and_what_it_said_stays(
    running: tuple[Served, Scripted],
) -> None:
    service, source = running
    source.down = "http://centre.example cannot be reached"
    source.say(SourceError("connection reset"))
    await until(lambda: service.config.status == "degraded")
    page = await shown(service)
    assert page["sources"]["centre"]["error"] in (source.down, "connection reset")
    assert page["settings"]["APP_LOG__LEVEL"]["value"] == "warning"
    [record] = service.records.of("configuration source lost")
    assert (record["level"], record["reasons"]) == ("warning", ["connection reset"])


async def test_what_needs_a_restart_is_listed(running: tuple[Served, Scripted]) -> None:
    service, source = running
    await says(service, source, "2", log__level="warning", http__keep_alive="5")
    page = await shown(service)
    assert page["needs_restart"] == {"APP_HTTP__KEEP_ALIVE": 5}
    assert page["settings"]["APP_HTTP__KEEP_ALIVE"]["value"] == 75
    assert await service.metric("config_restart_required") == 1
    [record] = service.records.of("configuration needs a restart")
    assert record["reasons"] == ["APP_HTTP__KEEP_ALIVE needs a restart"]


async def test_a_rotated_secret_is_in_force_and_nowhere_to_be_seen(
    running: tuple[Served, Scripted],
) -> None:
    service, source = running
    level = {"level": "debug"}
    refused = await service.ops.put("/loggers/audit", json=level)
    assert refused.status_code == 403
    await says(service, source, "2", log__level="info", management__token=SECRET)
    bearer = {"Authorization": f"Bearer {SECRET}"}
    held = await service.ops.put("/loggers/access", json=level, headers=bearer)
    assert held.status_code == 200
    page = await service.ops.get("/config")
    assert page.json()["reloads"][0]["changes"]["APP_MANAGEMENT__TOKEN"]["after"] == "***"
    assert SECRET not in page.text
    assert not any(SECRET.encode() in line for line in service.records.lines)
