"""The configuration at work in a service: sources are followed, and what comes of it is seen."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar, get_args

import structlog

from ..health import Health
from ..observability.metrics import Metrics
from ..shutdown import Closing
from .configuration import Configuration
from .journal import Entry, Outcome
from .kept import Kept, KeptError
from .options import ConfigOptions
from .reading import Reading, Source
from .tree import Tree
from .watcher import Pauses, follow

S = TypeVar("S", bound=Tree)
LEVELS = {"applied": "info", "back": "info", "unchanged": "debug", "refused": "error"}


def watch(
    config: Configuration[S],
    options: ConfigOptions,
    closing: Closing,
    health: Health,
    meters: Metrics,
) -> None:
    """Follow every source until the end, and show on health, metrics and the log how it goes."""
    _say(config)
    _measure(config, meters)
    health.register("configuration", lambda: _check(config), critical=False)
    if options.kept:
        keep(config, Kept(options.kept), closing)
    tasks = [
        asyncio.create_task(work, name=f"settings of {name}")
        for name, work in followers(config, options)
    ]
    closing.add("configuration", lambda: end(config, tasks))


def followers(
    config: Configuration[S], options: ConfigOptions
) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """What follows each source, to be run as a task."""
    for name, state in config.states.items():
        pauses = Pauses(options.backoff, options.backoff_max)
        yield name, follow(state.source, state.reading, config, pauses)


async def end(config: Configuration[S], tasks: list[asyncio.Task[None]]) -> None:
    """End the watches, and tell nobody any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    config.snapshots.subscribers.stop()


def keep(config: Configuration[S], kept: Kept, closing: Closing) -> None:
    """Write what a remote source holds to the disk whenever that has come into force."""
    log = structlog.get_logger().bind(logger="configuration")
    latest: dict[str, Reading] = {}
    arrived = asyncio.Event()

    def accepted(source: Source, reading: Reading) -> None:
        if source.remote:
            latest[source.where] = reading
            arrived.set()

    async def write() -> None:
        while True:
            await arrived.wait()
            arrived.clear()
            where, reading = latest.popitem()
            try:
                await kept.save(where, reading)
            except KeptError as exc:
                log.error("settings are not kept", error=str(exc))

    for state in config.states.values():
        if state.reading is not None and state.accepted is not None and not state.kept:
            accepted(state.source, state.reading)
    config.on_accepted = accepted
    closing.task("kept settings", write())


def _say(config: Configuration[S]) -> None:
    log = structlog.get_logger().bind(logger="configuration")
    texts = {
        "applied": "configuration changed",
        "unchanged": "configuration unchanged",
        "refused": "configuration refused",
        "restart": "configuration needs a restart",
        "lost": "configuration source lost",
        "back": "configuration source is back",
        "kept": "configuration from the disk",
    }

    def say(entry: Entry) -> None:
        fields: dict[str, Any] = {"source": entry.source, "revision": entry.revision}
        if entry.outcome == "applied":
            fields["version"] = entry.version
        if entry.changes:
            fields["changes"] = {k: f"{a} -> {b}" for k, (a, b) in entry.changes.items()}
        if entry.reasons:
            fields["reasons"] = list(entry.reasons)
        getattr(log, LEVELS.get(entry.outcome, "warning"))(texts[entry.outcome], **fields)

    for entry in config.journal.refusals:  # before anybody could listen
        say(entry)
    config.journal.listen(say)


def _measure(config: Configuration[S], meters: Metrics) -> None:
    journal, snapshots = config.journal, config.snapshots
    meters.counter(
        "config_reloads",
        "What became of what sources of settings said.",
        ("outcome",),
        # All from the start: Prometheus does not see the first one of a series that is new.
        lambda: [((outcome,), journal.counts[outcome]) for outcome in get_args(Outcome)],
    )
    meters.gauge(
        "config_version", "Changes of settings since the start.", lambda: snapshots.current.version
    )
    meters.gauges(
        "config_source_up",
        "1 while a source of settings can be read and what it holds is in force.",
        ("source",),
        lambda: [((n,), config.condition(s) == "ok") for n, s in config.states.items()],
    )
    meters.gauge(
        "config_restart_required",
        "Settings that wait for a restart.",
        lambda: len(snapshots.current.pending),
    )
    meters.counter(
        "config_subscriber_failures",
        "Changes that a part of the service failed to follow.",
        (),
        lambda: [((), snapshots.subscribers.failures())],
    )


async def _check(config: Configuration[S]) -> None:
    troubled = [n for n, state in config.states.items() if config.condition(state) != "ok"]
    if troubled:
        raise RuntimeError(f"{config.status}: {', '.join(troubled)}; see /config")
