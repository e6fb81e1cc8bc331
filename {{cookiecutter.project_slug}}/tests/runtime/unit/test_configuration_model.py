"""Random changes of several sources against a model that only knows which are valid."""

import os
from collections.abc import Mapping
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from steadfast_service.runtime.config.configuration import Configuration
from steadfast_service.runtime.config.layers import (
    DOCUMENTS,
    Layer,
    merged,
)
from steadfast_service.runtime.config.reading import Reading
from steadfast_service.runtime.config.subscribers import Change
from steadfast_service.settings import Settings

from ...support.sources import state

SOURCES = ("file", "directory", "centre")
# `RELOADS=10000 pytest ...` tries harder.
EXAMPLES = int(os.environ.get("RELOADS", "200"))

GRACE = Settings().http.grace  # as long as nothing restarts
LONGER = "http: {grace: %g}" % (GRACE + 1)

# Of each setting good values and bad ones; the last two are only valid together.
VALUES: Mapping[str, tuple[Any, ...]] = {
    "log.level": ("debug", "error", "loud"),
    "log.story_size": ("3", "4", "0", "x"),
    "http.request_timeout": ("2", f"{GRACE - 1}", f"{GRACE + 0.5}", "-1"),
    "flags.new.percentage": ("10", "20", "101"),
    "http.port": ("8000", "8001", "0"),
    "dependencies.payments.attempt_timeout": ("0.5", "2"),
    "dependencies.payments.breaker.window": ("5", "1.5"),
    "settings.yaml": ("log: {level: debug}", "log: [", "- x", LONGER, ""),
}
ENTRIES = st.dictionaries(st.sampled_from(sorted(VALUES)), st.integers(0, 9), max_size=4).map(
    lambda drawn: {
        name: VALUES[name][number % len(VALUES[name])].encode() for name, number in drawn.items()
    }
)


def tree_of(entries: Mapping[str, bytes]) -> dict[str, Any] | None:
    """What the model takes them for; None: they cannot be read."""
    documents: Mapping[str, Any] = {
        "log: {level: debug}": {"log": {"level": "debug"}},
        LONGER: {"http": {"grace": GRACE + 1}},
        "": {},
    }
    tree: Any = {}
    for name in sorted(entries, key=lambda name: not name.endswith(tuple(DOCUMENTS))):
        text = entries[name].decode()
        if name.endswith(".yaml"):
            if text not in documents:
                return None
            tree = documents[text]
        else:
            *levels, last = name.split(".")
            one: Any = {last: text}
            for level in reversed(levels):
                one = {level: one}
            tree = merged(tree, one)
    return dict(tree)


def valid(trees: Mapping[str, Any]) -> Settings | None:
    """The settings of these layers, if they can be in force beside what cannot change."""
    whole: Any = {}
    for name in SOURCES:
        whole = merged(whole, trees[name] or {})
    try:
        Settings.model_validate(whole)
        running = merged(whole, {"http": {"port": 8000, "grace": GRACE}})
        return Settings.model_validate(running)
    except ValueError:
        return None


class Reloads(RuleBasedStateMachine):
    """Sources say things; only what is valid is ever in force."""

    @initialize()
    def begin(self) -> None:
        states = [state(name) for name in SOURCES]
        self.config = Configuration(Settings, states, [Layer("environment", {})])
        self.heard: list[Change[Settings]] = []
        self.versions: list[int] = []
        self.config.snapshots.subscribe("test", self.heard.append)
        self.accepted: dict[str, Any] = {name: {} for name in SOURCES}
        self.latest: dict[str, Any] = {name: {} for name in SOURCES}
        self.revision = 0

    @rule(source=st.sampled_from(SOURCES), entries=ENTRIES)
    def reload(self, source: str, entries: dict[str, bytes]) -> None:
        self.revision += 1
        self.config.offer(source, Reading(entries, str(self.revision)))
        tree = tree_of(entries)
        if tree is None:
            self.latest[source] = self.accepted[source]
            return
        self.latest[source] = tree
        for candidate in (self.latest, self.accepted | {source: tree}):
            if valid(candidate) is not None:
                self.accepted = dict(candidate)
                break

    @rule(source=st.sampled_from(SOURCES))
    def lose(self, source: str) -> None:
        self.config.lost(source, "gone")

    @rule(source=st.sampled_from(SOURCES), entries=ENTRIES)
    def slow_load(self, source: str, entries: dict[str, bytes]) -> None:
        """One that began before another change came into force."""
        before = self.config.snapshots.current
        self.reload(source, entries)
        now = self.config.snapshots.current
        replaced = self.config.snapshots.replace(before.version, before)
        assert replaced == (now.version == before.version)
        if replaced:
            self.config.snapshots.replace(before.version, now)

    @invariant()
    def what_is_in_force_is_valid_and_the_model_s(self) -> None:
        assert self.config.settings == valid(self.accepted)
        assert self.config.settings is self.config.snapshots.current.settings
        if all(self.latest[name] == self.accepted[name] for name in SOURCES):
            wanted = merged({"http": {"port": "8000"}}, {})
            for name in SOURCES:
                wanted = merged(wanted, self.accepted[name])
            waiting = int(wanted["http"]["port"]) != 8000
            assert ("APP_HTTP__PORT" in self.config.snapshots.current.pending) is waiting

    @invariant()
    def versions_only_grow_and_each_is_heard_of_in_order(self) -> None:
        self.versions.append(self.config.snapshots.current.version)
        assert self.versions == sorted(self.versions)
        heard = [change.new.version for change in self.heard]
        assert heard == list(range(2, self.versions[-1] + 1))
        for change in self.heard:
            assert change.old.version + 1 == change.new.version
            assert change.old.settings != change.new.settings
            assert change.keys


TestReloads = Reloads.TestCase
TestReloads.settings = hypothesis_settings(
    max_examples=EXAMPLES, stateful_step_count=20, deadline=None
)
