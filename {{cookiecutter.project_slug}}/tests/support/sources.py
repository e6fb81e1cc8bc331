"""A source of settings that says what a test wants it to say."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from steadfast_service.runtime.config.configuration import (
    Configuration,
    State,
)
from steadfast_service.runtime.config.layers import Layer, parse
from steadfast_service.runtime.config.reading import Reading, SourceError
from steadfast_service.runtime.config.subscribers import Change
from steadfast_service.settings import Settings


def reading(revision: str, *, continuous: bool = True, **entries: str | bytes) -> Reading:
    """Entries by their names with `__` for what joins the levels."""
    texts = {k: v if isinstance(v, bytes) else v.encode() for k, v in entries.items()}
    return Reading(texts, revision, continuous)


def entries(revision: str, texts: Mapping[str, str]) -> Reading:
    """Entries by their names as they are."""
    return Reading({name: text.encode() for name, text in texts.items()}, revision)


def document(revision: str, text: str, name: str = "settings.yaml") -> Reading:
    """One document."""
    return Reading({name: text.encode()}, revision)


def state(name: str, first: Reading | None = None) -> State:
    """A source of this name; what it held first is in force."""
    source = Scripted(name)
    made = State(source)
    if first is not None:
        made.reading, made.revision = first, first.revision
        made.latest = made.accepted = parse(Settings, name, first)
        source.now = first
    return made


class Scripted:
    """It says what it is told to, when it is told to; it may be down."""

    remote = True

    def __init__(self, name: str = "centre") -> None:
        self.name = name
        self.where = f"{name}.example"
        self.now = Reading({}, "0")
        self.down = ""
        self.loads = 0
        self.closed = False
        self._said: asyncio.Queue[Reading | Exception | None] = asyncio.Queue()

    def say(self, later: Reading | Exception | None) -> None:
        """To whoever watches."""
        if isinstance(later, Reading):
            self.now = later
        self._said.put_nowait(later)

    async def load(self) -> Reading:
        self.loads += 1
        if self.down:
            raise SourceError(self.down)
        return self.now

    async def watch(self, since: Reading) -> AsyncGenerator[Reading | None]:
        if self.now != since:
            yield self.now
        while True:
            said = await self._said.get()
            if isinstance(said, Exception):
                raise said
            yield said

    async def close(self) -> None:
        self.closed = True


def revisions(states: Mapping[str, State]) -> dict[str, str]:
    """What each has in force."""
    return {name: one.revision for name, one in states.items()}


def opened(*names: str, environment: dict[str, Any] | None = None) -> Configuration[Settings]:
    """Sources of these names, below an environment; `centre` where none is named."""
    states = [state(name) for name in names or ("centre",)]
    return Configuration(Settings, states, [Layer("environment", environment or {})])


def changes(config: Configuration[Settings]) -> list[Change[Settings]]:
    """What subscribers hear from now on."""
    found: list[Change[Settings]] = []
    config.snapshots.subscribe("test", found.append)
    return found


def level(config: Configuration[Settings]) -> str:
    """The log level in force."""
    return config.settings.log.level


def status(config: Configuration[Settings]) -> str:
    """Of the whole."""
    return config.status


def outcomes(config: Configuration[Settings]) -> dict[str, int]:
    """What has become of what sources said."""
    return {name: number for name, number in config.journal.counts.items() if number}
