"""What waits for a restart, who hears of a change, and what is shown of it."""

import pytest

from steadfast_service.runtime.config.configuration import Configuration
from steadfast_service.runtime.config.journal import Entry, Journal
from steadfast_service.runtime.config.problems import InvalidSettings
from steadfast_service.runtime.ops.configuration import report
from steadfast_service.settings import Settings

from ...support.clock import Clock
from ...support.sources import (
    changes,
    level,
    opened,
    outcomes,
    reading,
    state,
    status,
)

SECRET = "hunter2hunter2hunter2"


def test_what_needs_a_restart_is_kept_and_said() -> None:
    config = opened()
    told = changes(config)
    config.offer("centre", reading("1", http__port="8001", management__token=SECRET))
    assert config.settings.http.port == 8000
    assert config.settings.management.token.get_secret_value() == SECRET
    assert [change.keys for change in told] == [("APP_MANAGEMENT__TOKEN",)]
    assert config.snapshots.current.pending == {"APP_HTTP__PORT": 8001}
    assert config.journal.refusals[-1].reasons == ("APP_HTTP__PORT needs a restart",)
    shown = report(config)
    assert shown["needs_restart"] == {"APP_HTTP__PORT": 8001}
    assert shown["settings"]["APP_HTTP__PORT"] == {
        "value": 8000,
        "source": "default",
        "hot": False,
    }
    config.offer("centre", reading("2", management__token=SECRET))
    assert config.snapshots.current.pending == {}
    assert outcomes(config) == {"applied": 1, "restart": 1, "unchanged": 1}


def test_a_hot_change_that_only_a_cold_one_allows_waits_for_both() -> None:
    config = opened()
    config.offer("centre", reading("1", http__request_timeout="3000", http__grace="3500"))
    assert config.settings.http == Settings().http
    [reason] = config.journal.refusals[0].reasons
    assert "needs a restart: it contradicts what is running of APP_HTTP__GRACE" in reason


def test_readers_of_a_branch_see_it_change_and_followers_hear_of_it() -> None:
    config = opened()
    log, http = config.live(lambda s: s.log), config.live(lambda s: s.http)
    seen: list[tuple[str, float]] = []
    before = http.now.request_timeout
    log.follow(lambda level, **_: seen.append((level, http.now.request_timeout)))
    config.offer("centre", reading("1", log__level="debug", http__request_timeout="2"))
    config.offer("centre", reading("2", log__level="debug", http__request_timeout="3"))
    assert seen == [("info", before), ("debug", 2)]  # branches change together
    assert (log.now.level, http.now.request_timeout) == ("debug", 3)
    first = log.now
    config.offer("centre", reading("3", log__level="debug", http__request_timeout="4"))
    assert log.now == first


def test_a_lost_source_is_degraded_then_stale_and_keeps_what_it_said() -> None:
    clock = Clock()
    one = state("centre", reading("1", log__level="debug"))
    one.heard = clock()
    config = Configuration(Settings, [one], stale_after=60, clock=clock)
    assert status(config) == "ok"
    config.lost("centre", "refused")
    config.lost("centre", "refused still")
    assert status(config) == "degraded"
    clock.advance(61)
    assert status(config) == "stale"
    assert level(config) == "debug"
    config.alive("centre")
    assert status(config) == "ok"
    assert outcomes(config) == {"lost": 1, "back": 1}


def test_no_secret_is_shown_anywhere() -> None:
    config = opened()
    entries: list[Entry] = []
    config.journal.listen(entries.append)
    config.offer("centre", reading("1", management__token=SECRET))
    config.offer("centre", reading("2", management__token=SECRET[::-1]))
    config.offer("centre", reading("3", management__token=SECRET, http__port=SECRET))
    assert entries[1].changes == {"APP_MANAGEMENT__TOKEN": ("***", "***")}
    told = f"{entries}{report(config)}{config.snapshots.current}{config.settings!r}"
    assert SECRET not in told
    assert SECRET[::-1] not in told


def test_the_journal_is_bounded() -> None:
    journal = Journal(2)
    for number in range(5):
        journal.add(Entry("applied", "file", str(number)))
        journal.add(Entry("refused", "file", str(number)))
    assert [entry.revision for entry in journal.reloads] == ["3", "4"]
    assert [entry.revision for entry in journal.refusals] == ["3", "4"]
    assert journal.counts == {"applied": 5, "refused": 5}


def test_the_first_settings_must_be_valid() -> None:
    with pytest.raises(InvalidSettings, match="APP_LOG__LEVEL"):
        opened(environment={"log": {"level": "loud"}})


def test_equal_settings_have_equal_content_in_every_process() -> None:
    one, other = opened(), opened()
    assert one.snapshots.current.content == other.snapshots.current.content
    one.offer("centre", reading("1", log__level="debug"))
    assert one.snapshots.current.content != other.snapshots.current.content
    other.offer("centre", reading("9", log__level="debug"))
    assert one.snapshots.current.content == other.snapshots.current.content
