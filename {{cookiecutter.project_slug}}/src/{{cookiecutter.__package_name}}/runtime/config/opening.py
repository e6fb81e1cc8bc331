"""The first settings: every layer is read, and what cannot be had is dealt with as was asked."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import ValidationError

from .configuration import Configuration, State
from .environment import environment_layer
from .journal import Entry, Journal
from .kept import Kept, KeptError
from .layers import Layer, parse, stack
from .options import ConfigOptions
from .problems import InvalidSettings, explain
from .reading import Reading, Source, SourceError
from .sources.directory import DirectorySource
from .sources.file import FileSource
from .sources.types import OpenCentre
from .tree import Tree, variable
from .watcher import Pauses

S = TypeVar("S", bound=Tree)
SETTING = "APP_CONFIG__SOURCE"


async def open_configuration(
    kind: type[S],
    centres: Mapping[str, OpenCentre],
    environ: Mapping[str, str],
    explicit: Mapping[str, Any],
) -> Configuration[S]:
    """Read every layer and check the whole.

    Args:
        centres: what opens the configuration centre, by the scheme of its URL.
        explicit: a tree above everything else.

    Raises:
        InvalidSettings: they are not valid, or a source that must be there is not.
    """
    fixed = [environment_layer(kind, environ), Layer("arguments", explicit)]
    options = _options(kind, fixed)
    journal = Journal(options.history)
    states = [State(source) for source in _local(options)]
    for state in states:
        try:
            reading = await state.source.load()
        except SourceError as exc:
            raise InvalidSettings([str(exc)]) from None
        state.reading = reading
        _accept(kind, state, reading)

    def configuration(*more: State) -> Configuration[S]:
        every = [*states, *more]
        return Configuration(kind, every, fixed, stale_after=options.stale_after, journal=journal)

    if not options.source.get_secret_value():
        return configuration()
    centre = _centre(options, centres)
    try:
        return await _with_centre(kind, configuration, State(centre), options, journal)
    except BaseException:
        await centre.close()
        raise


def _options(kind: type[Tree], fixed: list[Layer]) -> ConfigOptions:
    tree, origins = stack(fixed)
    try:
        return ConfigOptions.model_validate(tree.get("config", {}))
    except ValidationError as exc:
        raise InvalidSettings(explain(kind, exc, origins, under=("config",))) from None


def _local(options: ConfigOptions) -> Iterator[Source]:
    try:
        if options.file:
            yield FileSource(options.file)
        for directory in options.directories:
            yield DirectorySource(directory, name=f"directory {directory}")
    except ValueError as exc:
        raise InvalidSettings([f"APP_CONFIG__FILE: {exc}"]) from None


def _centre(options: ConfigOptions, centres: Mapping[str, OpenCentre]) -> Source:
    url = options.source.get_secret_value()
    scheme, separator, _ = url.partition("://")  # not parsed: it may be no URL at all
    if not separator or scheme not in centres:
        known = ", ".join(f"{one}://" for one in centres)
        raise InvalidSettings([f"{SETTING}: takes a URL that begins with one of {known}"])
    try:
        return centres[scheme](url, options)
    except (ValueError, OSError) as exc:  # OSError: a certificate's file
        raise InvalidSettings([f"{SETTING}: {exc}"]) from None


async def _with_centre(
    kind: type[S],
    configuration: Callable[..., Configuration[S]],
    state: State,
    options: ConfigOptions,
    journal: Journal,
) -> Configuration[S]:
    """With what the centre says; failing that with what it said once; failing that without."""
    name = state.source.name
    reading = await _first(state, options)
    if reading is not None:
        state.reading = reading
        try:
            _accept(kind, state, reading)
            return configuration(state)
        except InvalidSettings as exc:
            if options.required:
                raise
            state.refused = Entry("refused", name, reading.revision, reasons=tuple(exc.problems))
            journal.add(state.refused)
    else:
        if options.required:
            raise InvalidSettings([f"{SETTING}: {state.error} (APP_CONFIG__REQUIRED is true)"])
        journal.add(Entry("lost", name, reasons=(state.error,)))
    with suppress(InvalidSettings):
        if kept := _kept(state, options, journal):
            _accept(kind, state, kept)
            state.kept = True
            return configuration(state)
    state.accepted = state.latest = None
    state.kept, state.revision = False, ""
    return configuration(state)


def _accept(kind: type[Tree], state: State, reading: Reading) -> None:
    """Take what it holds for what will be in force, unless the whole is refused."""
    state.accepted = state.latest = parse(kind, state.source.name, reading)
    state.revision = reading.revision


async def _first(state: State, options: ConfigOptions) -> Reading | None:
    """The centre's first answer; None: there was none in time, and `state.error` says why."""
    source = state.source
    state.error = f"{source.where} has not answered within {options.start_timeout:g} s"
    with suppress(TimeoutError):
        async with asyncio.timeout(options.start_timeout):
            for pause in Pauses(options.backoff, options.start_timeout):
                try:
                    reading = await source.load()
                except SourceError as exc:
                    state.error = str(exc)
                else:
                    state.error = ""
                    return reading
                await asyncio.sleep(pause)
    return None


def _kept(state: State, options: ConfigOptions, journal: Journal) -> Reading | None:
    if not options.kept:
        return None
    name = state.source.name
    try:
        found = Kept(options.kept).load(state.source.where)
    except KeptError as exc:
        journal.add(Entry("lost", name, reasons=(f"{variable(('config', 'kept'))}: {exc}",)))
        return None
    if found is None:
        return None
    reading, at = found
    journal.add(
        Entry("kept", name, reading.revision, reasons=("what it said before is in force",), at=at)
    )
    return reading
