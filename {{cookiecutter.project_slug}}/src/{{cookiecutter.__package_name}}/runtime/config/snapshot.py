"""The settings in force: one immutable snapshot, replaced as a whole, and who is told.

It belongs to one event loop. A reader holds no lock: it reads one attribute.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import orjson

from .live import Live
from .subscribers import Callback, Change, Subscriber, Subscribers
from .tree import Path, Tree, shown

S = TypeVar("S", bound=Tree)
G = TypeVar("G")


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[S]):
    """One state of the settings.

    Attributes:
        settings: in force; what needs a restart is as it was at the start.
        version: counts the changes of this process, from 1.
        revisions: by source, as the source names them.
        origins: the layer that each setting came from; the defaults have none.
        pending: what waits for a restart, by variable, masked.
    """

    settings: S
    version: int = 1
    revisions: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[Path, str] = field(default_factory=dict)
    pending: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """Equal in all processes whose settings are, secrets left out; 12 hex digits."""
        text = orjson.dumps(shown(self.settings), option=orjson.OPT_SORT_KEYS, default=str)
        return hashlib.sha256(text).hexdigest()[:12]


class Snapshots(Generic[S]):
    """Holds the snapshot in force, and tells subscribers of each that follows.

    Attributes:
        current: the snapshot.
        settings: its settings. Read them anew each time, or take `live`.
    """

    def __init__(self, first: Snapshot[S]) -> None:
        self.current = first
        self.settings = first.settings
        self.subscribers = Subscribers[S]()
        self._lives: list[tuple[Live[Any], Callable[[S], Any]]] = []

    def replace(self, expected_version: int, new: Snapshot[S]) -> bool:
        """Put `new` in force if the version is still the expected one: compare and swap.

        It gets the next version; equal settings keep theirs and tell nobody.
        """
        old = self.current
        if old.version != expected_version:
            return False
        if new.settings == old.settings:
            self.current = replace(new, settings=old.settings, version=old.version)
            return True
        self.current = replace(new, version=old.version + 1)
        self.settings = new.settings
        for live, select in self._lives:
            live.now = select(new.settings)
        self.subscribers.tell(Change(old, self.current))
        return True

    def subscribe(self, name: str, callback: Callback[S]) -> Subscriber[S]:
        """Call with every later change, one at a time and in order, after it is in force."""
        return self.subscribers.add(name, callback)

    def live(self, select: Callable[[S], G]) -> Live[G]:
        """The branch that `select` picks, kept up to date.

        Branches change together, before anybody is told.
        """

        def follow(name: str, call: Callable[[], None]) -> None:
            def told(change: Change[S]) -> None:
                if select(change.old.settings) != select(change.new.settings):
                    call()

            self.subscribe(name, told)

        live = Live(select(self.settings), follow)
        self._lives.append((live, select))
        return live
