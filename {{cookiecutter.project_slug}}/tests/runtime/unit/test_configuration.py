"""What becomes of what sources say: in force, refused, waiting for a restart."""

from typing import Any

import pytest

from steadfast_service.runtime.config.configuration import Configuration
from steadfast_service.runtime.config.layers import Layer
from steadfast_service.runtime.config.problems import origin
from steadfast_service.runtime.config.snapshot import Snapshot
from steadfast_service.settings import Dependencies, Settings

from ...support.sources import (
    changes,
    document,
    entries,
    level,
    opened,
    outcomes,
    reading,
    revisions,
    state,
    status,
)

SECRET = "hunter2hunter2hunter2"


def test_a_change_is_in_force_at_once_and_told_once() -> None:
    config = opened()
    told = changes(config)
    before = config.settings
    config.offer("centre", reading("7", log__level="debug", log__story_size="3"))
    assert (level(config), config.settings.log.story_size) == ("debug", 3)
    assert before.log.level == "info"
    [change] = told
    assert change.keys == ("APP_LOG__LEVEL", "APP_LOG__STORY_SIZE")
    assert (change.old.settings, change.new.settings) == (before, config.settings)
    assert (change.old.version, change.new.version) == (1, 2)
    assert change.new.revisions == {"centre": "7"}
    assert outcomes(config) == {"applied": 1}


@pytest.mark.parametrize(
    "bad",
    [
        reading("2", log__level="loud"),
        reading("2", log__levle="info"),
        reading("2", http__request_timeout="3000"),
        document("2", "log: [level"),
        reading("2", x=b"\xff"),
    ],
)
def test_an_invalid_change_leaves_all_as_it_was(bad: Any) -> None:
    config = opened()
    config.offer("centre", reading("1", log__level="debug"))
    told, before = changes(config), config.snapshots.current
    for _ in range(3):
        config.offer("centre", bad)
    assert config.snapshots.current is before
    assert told == []
    assert status(config) == "degraded"
    assert outcomes(config) == {"applied": 1, "refused": 1}  # once for that revision
    assert revisions(config.states) == {"centre": "1"}
    config.offer("centre", reading("3", log__level="loud"))
    assert config.journal.counts["refused"] == 2
    config.offer("centre", reading("4", log__level="warning"))
    assert (status(config), level(config)) == ("ok", "warning")


def test_a_deleted_key_falls_back_to_the_next_layer() -> None:
    config = opened("file", "centre")
    config.offer("file", reading("1", log__level="error"))
    config.offer("centre", reading("1", log__level="debug"))
    assert level(config) == "debug"
    config.offer("centre", reading("2"))
    assert level(config) == "error"
    config.offer("file", reading("2"))
    assert level(config) == "info"
    assert origin(config.snapshots.current.origins, ("log", "level")) == "default"


def test_deleting_what_is_required_is_an_invalid_change() -> None:
    production = {
        "environment": "production",
        "dependencies": {name: {"url": "https://it"} for name in Dependencies.model_fields},
        "auth": {"issuer": "https://id", "jwks_url": "https://id/keys"},
        "database": {"url": "postgresql://db/orders"},
        "faults": {"rules": [{"abort_status": 503}]},
    }
    known = {name: v for name, v in production.items() if name in Settings.model_fields}
    first = reading("1", faults__allow_in_production="true")
    config = Configuration(Settings, [state("centre", first)], [Layer("environment", known)])
    config.offer("centre", reading("2"))
    assert config.settings.faults.allow_in_production
    assert status(config) == "degraded"
    [entry] = config.journal.refusals
    assert entry.reasons[0].startswith("APP_FAULTS__RULES: refused in production")


@pytest.mark.parametrize("order", [("file", "centre"), ("centre", "file")])
def test_precedence_does_not_depend_on_who_comes_first(order: tuple[str, str]) -> None:
    config = opened("file", "centre", environment={"log": {"key_route_rate": 0.5}})
    said = {
        "file": reading("1", log__level="error", log__story_size="3", log__key_route_rate="0.1"),
        "centre": reading("1", log__level="debug", log__key_route_rate="0.2"),
    }
    for name in order:
        config.offer(name, said[name])
    log = config.settings.log
    assert (log.level, log.story_size, log.key_route_rate) == ("debug", 3, 0.5)


@pytest.mark.parametrize("order", [("file", "centre"), ("centre", "file")])
def test_what_is_only_valid_together_is_taken_together(order: tuple[str, str]) -> None:
    config = opened("file", "centre")
    # An attempt may take at most half a window, so each of them needs the other.
    payments = "dependencies.payments."
    said = {
        "file": entries("1", {f"{payments}attempt_timeout": "3", f"{payments}timeout": "4"}),
        "centre": entries("1", {f"{payments}breaker.window": "20"}),
    }
    for name in order:
        config.offer(name, said[name])
    found = config.settings.dependencies.payments
    assert (found.attempt_timeout, found.breaker.window) == (3, 20)
    assert status(config) == "ok"


def test_what_another_source_holds_back_does_not_stop_a_good_change() -> None:
    config = opened("file", "centre")
    config.offer("file", reading("1", log__level="loud"))
    config.offer("centre", reading("1", log__story_size="3"))
    assert config.settings.log.story_size == 3
    config.offer("file", reading("2", dependencies__payments__attempt_timeout="3"))
    config.offer("centre", reading("2", log__story_size="4"))
    assert config.settings.log.story_size == 4
    assert revisions(config.states) == {"file": "", "centre": "2"}


def test_what_a_source_does_not_hold_any_more_is_not_taken_later() -> None:
    config = opened("file", "centre")
    config.offer("file", entries("1", {"dependencies.payments.attempt_timeout": "3"}))  # waits
    config.offer("file", document("2", "log: [level"))
    wider = {"dependencies.payments.breaker.window": "20", "dependencies.payments.timeout": "4"}
    config.offer("centre", entries("1", wider))
    payments = config.settings.dependencies.payments
    assert (payments.breaker.window, payments.attempt_timeout) == (20, 1)
    assert status(config) == "degraded"
    assert revisions(config.states) == {"file": "", "centre": "1"}


def test_equal_content_tells_nobody_but_is_noted() -> None:
    config = opened()
    config.offer("centre", reading("1", log__level="debug"))
    told = changes(config)
    config.offer("centre", reading("2", log__level="debug"))
    config.offer("centre", reading("3", log__level="debug", http__port="8000"))
    assert told == []
    assert config.snapshots.current.version == 2
    assert config.snapshots.current.revisions == {"centre": "3"}
    assert outcomes(config) == {"applied": 1, "unchanged": 2}


def test_a_new_load_never_overwrites_a_newer_one() -> None:
    snapshots = opened().snapshots
    slow = snapshots.current
    newer = Settings.model_validate({"log": {"level": "error"}})
    older = Settings.model_validate({"log": {"level": "debug"}})
    assert snapshots.replace(slow.version, Snapshot(newer))
    assert not snapshots.replace(slow.version, Snapshot(older))
    assert (snapshots.settings.log.level, snapshots.current.version) == ("error", 2)


def test_a_wiped_centre_takes_nothing_away() -> None:
    config = opened()
    config.offer("centre", reading("90", log__level="debug"))
    for revision in ("1", "1", "2"):  # and so it stays when it is read again
        config.offer("centre", reading(revision, continuous=revision != "1"))
        assert (level(config), status(config)) == ("debug", "degraded")
    assert "lost its data" in config.journal.refusals[0].reasons[0]
    config.offer("centre", reading("3", log__story_size="3"))
    assert (level(config), status(config)) == ("info", "ok")
    config.offer("centre", reading("4"))  # an operator who takes the last one away means it
    assert (config.settings.log.story_size, status(config)) == (64, "ok")
