"""Which service this is, and what it was made with."""

import importlib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
[PACKAGE] = [path.parent.name for path in ROOT.glob("src/*/app.py")]


def request_timeout() -> float:
    """Seconds that a request may take where nothing is set."""
    found: float = _settings().model_fields["http"].default.request_timeout
    return found


def groups() -> frozenset[str]:
    """The groups of its settings: `database` and `auth` are there or not."""
    return frozenset(_settings().model_fields)


def dependencies() -> tuple[str, ...]:
    """The names of what it calls."""
    return tuple(type(_settings().model_fields["dependencies"].default).model_fields)


def _settings() -> Any:
    return importlib.import_module(f"{PACKAGE}.settings").Settings
