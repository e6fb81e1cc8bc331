"""Breaking changes, and those that somebody allowed and said why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import yaml


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that breaks callers. A schema's pointer goes through its references."""

    kind: str
    operation: str
    pointer: str
    detail: str

    @property
    def id(self) -> str:
        """What an allowance names: three or four words, the same for the same change."""
        return f"{self.kind} {self.operation} {self.pointer}".rstrip()

    def __str__(self) -> str:
        return f"{self.id}: {self.detail}"


class Verdict(NamedTuple):
    """Changes that nobody allowed, those that somebody did and why, and idle allowances."""

    remaining: list[Change]
    used: list[tuple[Change, str]]
    unused: list[str]


def allowed(changes: Sequence[Change], allow: Mapping[str, str]) -> Verdict:
    """Take out the changes that an allowance covers: a change's id, or its first words."""
    for name, reason in allow.items():
        if not name.strip() or not reason.strip():
            raise ValueError(f"An allowance names a change and says why: {name!r}: {reason!r}")
    remaining, used, unused = [], [], list(allow)
    for change in changes:
        words = change.id.split()
        names = [name for name in allow if words[: len(name.split())] == name.split()]
        if names:
            used.append((change, allow[max(names, key=len)]))
            unused = [name for name in unused if name not in names]
        else:
            remaining.append(change)
    return Verdict(remaining, used, unused)


def read_allowances(path: Path, said: Sequence[str]) -> dict[str, str]:
    """Those in the file, a mapping from changes to reasons, and those said as CHANGE=REASON.

    Raises:
        ValueError: one of them is not of that form.
    """
    found: dict[str, str] = {}
    if path.exists():
        written = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        if not isinstance(written, dict):
            raise ValueError(f"{path}: a mapping from changes to the reasons to allow them")
        found = {str(change): str(reason or "") for change, reason in written.items()}
    for one in said:
        change, _, reason = one.partition("=")
        found[change] = reason
    return found
