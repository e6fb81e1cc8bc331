"""The settings while the service runs: sources are merged, checked as a whole, put in force.

A change that is not valid changes nothing: what was in force stays, and is said to be so.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from .journal import Entry, Journal
from .layers import Layer, parse, stack, validated
from .live import Live
from .problems import InvalidSettings
from .reading import Reading, Source
from .restarts import Resolved, keep_running
from .snapshot import Snapshot, Snapshots
from .tree import Tree, differences, shown, variable

S = TypeVar("S", bound=Tree)
G = TypeVar("G")
Condition = Literal["ok", "degraded", "stale"]


@dataclass(slots=True)
class State:
    """What is known of one source.

    Attributes:
        reading: what it held last, whatever became of that.
        latest: what it says, as far as it could be read; it may wait for others to agree.
        accepted: what of it is in force, and `revision` the source's name of that.
        refused: what the journal says of what it holds now; None: that is in force.
        error: why it cannot be read now; empty: it can.
        heard: when it last answered, by the monotonic clock; 0: never.
        kept: what is in force was on the disk, from the time before the start.
        wiped: it has lost what is in force, and holds nothing since.
    """

    source: Source
    reading: Reading | None = None
    latest: Layer | None = None
    accepted: Layer | None = None
    revision: str = ""
    refused: Entry | None = None
    error: str = ""
    heard: float = 0.0
    kept: bool = False
    wiped: bool = False


class Configuration(Generic[S]):
    """Takes what sources offer, and holds the snapshot in force.

    Args:
        kind: the tree of settings.
        states: of the sources, lowest first; what each has accepted is in force at once.
        fixed: the layers above all sources: the environment, explicit arguments.
        stale_after: seconds without an answer.

    Attributes:
        on_accepted: called with a source and what it held when that came into force.

    Raises:
        InvalidSettings: they are not valid together.
    """

    def __init__(
        self,
        kind: type[S],
        states: Sequence[State] = (),
        fixed: Sequence[Layer] = (),
        *,
        stale_after: float = 120.0,
        journal: Journal | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.journal = journal or Journal(20)
        self.states = {state.source.name: state for state in states}
        self.on_accepted: Callable[[Source, Reading], None] = lambda *_: None
        self.clock = clock
        self._kind = kind
        self._fixed = tuple(fixed)
        self._stale_after = stale_after
        for state in states:
            if state.reading is not None:
                state.heard = clock()
        accepted = {name: state.accepted for name, state in self.states.items()}
        self._first = self._resolved(accepted)
        revisions = {name: state.revision for name, state in self.states.items() if state.accepted}
        settings, _, origins = self._first
        self.snapshots = Snapshots(Snapshot(settings, revisions=revisions, origins=origins))

    @property
    def settings(self) -> S:
        """In force now."""
        return self.snapshots.settings

    def live(self, select: Callable[[S], G]) -> Live[G]:
        """A branch of the settings, kept up to date."""
        return self.snapshots.live(select)

    def offer(self, source: str, reading: Reading) -> None:
        """A source holds this now: put it in force, or say why not."""
        state = self.states[source]
        self.alive(source)
        state.reading = reading
        state.latest = state.accepted  # what waited for others is not what it holds any more
        try:
            self._check_not_wiped(state, reading)
            state.latest = parse(self._kind, source, reading)
            self._apply(state, reading)
        except InvalidSettings as exc:
            self._refuse(state, reading, tuple(exc.problems))
        else:
            self.on_accepted(state.source, reading)

    def alive(self, source: str) -> None:
        """It has answered."""
        state = self.states[source]
        state.heard = self.clock()
        if state.error:
            state.error = ""
            self.journal.add(Entry("back", source, state.revision))

    def lost(self, source: str, reason: str) -> None:
        """It cannot be read; what is in force of it stays."""
        state = self.states[source]
        if not state.error:
            self.journal.add(Entry("lost", source, state.revision, reasons=(reason,)))
        state.error = reason

    def condition(self, state: State) -> Condition:
        """Of one source. Stale: what is in force of it may be old, for it does not answer."""
        if state.kept or (state.error and self.clock() - state.heard > self._stale_after):
            return "stale"
        return "degraded" if state.error or state.refused else "ok"

    @property
    def status(self) -> Condition:
        """Of the whole: that of the worst source."""
        found = {self.condition(state) for state in self.states.values()}
        return "stale" if "stale" in found else "degraded" if "degraded" in found else "ok"

    async def aclose(self) -> None:
        """Let go of all sources; whoever opened it calls this."""
        for state in self.states.values():
            await state.source.close()

    def _check_not_wiped(self, state: State, reading: Reading) -> None:
        held = state.accepted is not None and bool(state.accepted.tree)
        state.wiped = held and not reading.entries and (state.wiped or not reading.continuous)
        if state.wiped:
            reason = f"{state.source.name} has lost its data; the settings that it held stay"
            raise InvalidSettings([reason])

    def _apply(self, state: State, reading: Reading) -> None:
        name = state.source.name
        latest = {other: one.latest for other, one in self.states.items()}
        try:
            self._put(latest, state, reading)
        except InvalidSettings:
            # What another source has waiting may be to blame for it.
            cautious = {other: one.accepted for other, one in self.states.items()}
            cautious[name] = state.latest
            if cautious == latest:
                raise
            self._put(cautious, state, reading)

    def _put(self, layers: Mapping[str, Layer | None], state: State, reading: Reading) -> None:
        now, pending = keep_running(self._kind, self._first, self._resolved(layers))
        for name, other in self.states.items():
            if other is state or layers[name] is not other.accepted:
                other.accepted, other.refused = layers[name], None
                other.kept = False
                other.revision = other.reading.revision if other.reading else ""
        revisions = {name: one.revision for name, one in self.states.items() if one.accepted}
        before = self.snapshots.current
        new = Snapshot(now.settings, before.version, revisions, now.origins, pending)
        self.snapshots.replace(before.version, new)
        self._enter(before, self.snapshots.current, state)

    def _resolved(self, layers: Mapping[str, Layer | None]) -> Resolved[S]:
        found = (layers[name] for name in self.states)
        tree, origins = stack([*(layer for layer in found if layer is not None), *self._fixed])
        return Resolved(validated(self._kind, tree, origins), tree, origins)

    def _enter(self, before: Snapshot[S], now: Snapshot[S], state: State) -> None:
        """Say what has become of it."""
        about = state.source.name, state.revision, now.version
        if now.version == before.version:
            self.journal.add(Entry("unchanged", *about))
        else:
            found = differences(before.settings, now.settings)
            changes = {variable(path): pair for path, pair in found.items()}
            self.journal.add(Entry("applied", *about, changes=changes))
        if now.pending != before.pending and now.pending:
            running = shown(now.settings)
            changes = {name: (running[name], wanted) for name, wanted in now.pending.items()}
            reasons = tuple(f"{name} needs a restart" for name in changes)
            self.journal.add(Entry("restart", *about, changes, reasons))

    def _refuse(self, state: State, reading: Reading, problems: tuple[str, ...]) -> None:
        entry = Entry("refused", state.source.name, reading.revision, reasons=problems)
        said = state.refused
        state.refused = entry
        # Once for a revision: it is read again after each loss of its source.
        if said is None or (said.revision, said.reasons) != (entry.revision, entry.reasons):
            self.journal.add(entry)
