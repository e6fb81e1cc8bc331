"""From which level on each logger writes: by the settings, and by an operator for a while.

Names are dotted, ours and the standard library's alike. A logger that nothing is said of
follows the nearest name above it, in the end the root: Python's own rule.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
ROOT = "root"
AUDIT = "audit"
# They announce at info what the server's and the client's own records say already;
# aiosqlite shows at debug what is stored, which is what callers sent.
TALKATIVE = ("uvicorn.error", "httpx", "alembic", "aiosqlite")


def defaults(root: str) -> dict[str, str]:
    """What holds where the settings name no logger but the root."""
    _check(root)
    quiet = root if LEVELS[root] > LEVELS["warning"] else "warning"
    # What operators do is a warning, and a quieter root must not hide it.
    return {**dict.fromkeys(TALKATIVE, quiet), AUDIT: "warning", ROOT: root}


class Threshold:
    """The number of the lowest level that the loggers of one name write; they read it each time."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class Hold(NamedTuple):
    """An operator's decision; `until` is an instant of `time.monotonic()`."""

    level: str
    until: float
    timer: asyncio.TimerHandle

    def left(self) -> float:
        """Seconds, to a tenth."""
        return round(max(self.until - time.monotonic(), 0), 1)


class Levels:
    """The level of every logger of the process.

    A level that an operator holds outranks the settings until it ends; then whatever the
    settings say by that time is in force. Names outside of both sources cost nothing: a
    logger looks its threshold up once, when it is bound.
    """

    def __init__(self) -> None:
        self._settings: Mapping[str, str] = defaults("info")
        self._held: dict[str, Hold] = {}
        self._in_force = self._settings
        self._thresholds: dict[str, Threshold] = {}
        # The standard library's loggers that we have set, and the level that each had before;
        # None for one that was not there.
        self._before: dict[str, int | None] = {}
        self._lock = threading.Lock()  # a library's own thread may be the first to log

    def threshold(self, name: object) -> Threshold:
        """What the loggers of this name read; the same object for ever."""
        key = name if isinstance(name, str) and name else ROOT
        known = self._thresholds.get(key)
        if known is None:
            with self._lock:
                number = LEVELS[_of(key, self._in_force)]
                known = self._thresholds.setdefault(key, Threshold(number))
        return known

    def update(self, level: str, levels: Mapping[str, str]) -> None:
        """Take over what the settings say: the root's level and those of single loggers.

        Raises:
            ValueError: there is no such level; nothing has changed.
        """
        settings = {**defaults(level), **{name or ROOT: one for name, one in levels.items()}}
        for one in settings.values():
            _check(one)
        self._settings = settings
        self._apply()

    def hold(self, name: str, level: str, seconds: float) -> None:
        """Hold a logger and those below it at a level; call it on the event loop.

        It ends by itself after `seconds`, whether anything is logged or not. Another one for
        the same name takes its place.

        Raises:
            ValueError: there is no such level.
        """
        _check(level)
        name = name or ROOT
        timer = asyncio.get_running_loop().call_later(seconds, self.release, name)
        replaced = self._held.get(name)
        if replaced is not None:
            replaced.timer.cancel()
        self._held[name] = Hold(level, time.monotonic() + seconds, timer)
        self._apply()

    def release(self, name: str) -> bool:
        """Let the settings decide again; returns whether the level was held."""
        hold = self._held.pop(name or ROOT, None)
        if hold is None:
            return False
        hold.timer.cancel()
        self._apply()
        return True

    def release_all(self) -> list[str]:
        """The same for every logger; returns those that were held."""
        return [name for name in tuple(self._held) if self.release(name)]

    def reports(self) -> list[dict[str, Any]]:
        """Every logger that there is, and every name that something is said of; see `report`."""
        known = self._known()
        used = _with_parents(known)
        return [self._report(one, used) for one in sorted(known | self._in_force.keys())]

    def report(self, name: str) -> dict[str, Any]:
        """One logger in what JSON can say.

        `level` is in force, `settings` would be without operators, `held` is of this very
        name. `known` is false while no logger has the name or one below it: a typing error,
        or one of a module that is not loaded yet.
        """
        return self._report(name or ROOT, _with_parents(self._known()))

    def _report(self, name: str, used: set[str]) -> dict[str, Any]:
        number = LEVELS[_of(name, self._in_force)]
        theirs = _existing(name)
        if theirs is not None:  # a library may be stricter by itself
            number = max(number, theirs.getEffectiveLevel())
        hold = self._held.get(name)
        return {
            "name": name,
            "level": next((one for one, least in LEVELS.items() if least >= number), "off"),
            "settings": _of(name, self._settings),
            "held": hold and {"level": hold.level, "seconds_left": hold.left()},
            "known": name in used,
        }

    def _apply(self) -> None:
        with self._lock:
            held = {name: hold.level for name, hold in self._held.items()}
            self._in_force = {**self._settings, **held}
            for name, threshold in self._thresholds.items():
                threshold.number = LEVELS[_of(name, self._in_force)]
        for name in self._in_force.keys() - self._before.keys():
            theirs = _existing(name)
            self._before[name] = None if theirs is None else theirs.level
        for name, before in self._before.items():
            level = self._in_force.get(name)
            logging.getLogger(name).setLevel(LEVELS[level] if level else before or logging.NOTSET)

    def _known(self) -> set[str]:
        made_here = {name for name, before in self._before.items() if before is None}
        theirs = {name for name in tuple(logging.root.manager.loggerDict) if _existing(name)}
        return {ROOT, *tuple(self._thresholds), *(theirs - made_here)}


def _existing(name: str) -> logging.Logger | None:
    """The standard library's logger, without making one."""
    if name == ROOT:
        return logging.root
    found = logging.root.manager.loggerDict.get(name)
    return found if isinstance(found, logging.Logger) else None  # or a placeholder of a parent


def _of(name: str, said: Mapping[str, str]) -> str:
    while name not in said:
        name = name.rpartition(".")[0] or ROOT
    return said[name]


def _with_parents(names: Iterable[str]) -> set[str]:
    parts = (name.split(".") for name in names)
    return {".".join(part[: n + 1]) for part in parts for n in range(len(part))}


def _check(level: str) -> None:
    if level not in LEVELS:
        raise ValueError(f"no such level: {level!r}; there are {', '.join(LEVELS)}")
