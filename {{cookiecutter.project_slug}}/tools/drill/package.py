"""Which service this is, and what it was made with."""

import importlib
from pathlib import Path

ROOT = Path(__file__).parents[2]
[PACKAGE] = [path.parent.name for path in ROOT.glob("src/*/app.py")]


def groups() -> frozenset[str]:
    """The groups of its settings: `database` and `auth` are there or not."""
    names: dict[str, object] = importlib.import_module(f"{PACKAGE}.settings").Settings.model_fields
    return frozenset(names)
