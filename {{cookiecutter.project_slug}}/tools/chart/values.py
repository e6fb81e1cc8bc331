"""The values of the chart, as each overlay has them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .tree import MISSING, Path

Tree = dict[str, Any]


def camel(*words: str) -> str:
    """`containers`, `my-sidecar` as `containersMySidecar`: a name that a template can write."""
    parts = [part for word in words for part in re.split(r"[^A-Za-z0-9]+", word) if part]
    name = "".join(part[0].upper() + part[1:] for part in parts)
    short = re.match(r"[A-Z]+(?=[A-Z][a-z]|$|[0-9])|[A-Z]", name)
    head = short[0] if short else ""
    name = head.lower() + name[len(head) :]
    return f"at{name}" if name[:1].isdigit() else name


class Values:
    """Collects what the overlays have at the places where they differ."""

    def __init__(self, overlays: Iterable[str]) -> None:
        self.of: Mapping[str, Tree] = {overlay: {} for overlay in overlays}
        # Mappings that belong to one place: a key that an overlay lacks must not come from another.
        self._whole: set[Path] = set()

    def add(self, path: Path, values: Mapping[str, Any]) -> Path:
        """Keep them at `path`, or beside it where something else is there; where they are."""
        tried, count = path, 1
        while not all(self._fits(tried, overlay, value) for overlay, value in values.items()):
            count += 1
            tried = (f"{path[0]}{count}", *path[1:])
        for overlay, value in values.items():
            place: Tree = self.of[overlay]
            for step in tried[:-1]:
                place = place.setdefault(step, {})
            place[tried[-1]] = None if value is MISSING else value
        if any(isinstance(value, dict) for value in values.values()):
            self._whole.add(tried)
        return tried

    def _fits(self, path: Path, overlay: str, value: object) -> bool:
        place: Any = self.of[overlay]
        for number, step in enumerate(path):
            if path[:number] in self._whole or not isinstance(place, dict):
                return False
            if step not in place:
                return True
            place = place[step]
        return bool(place == (None if value is MISSING else value))

    def defaults(self, overlay: str) -> Tree:
        """All that `overlay` has."""
        return self.of[overlay]

    def differences(self, overlay: str, base: str) -> Tree:
        """What `overlay` has otherwise than `base`; null takes away what only that has."""
        return self._difference((), self.of[overlay], self.of[base])

    def _difference(self, at: Path, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Tree:
        found: Tree = {}
        for key, value in ours.items():
            other = theirs.get(key)
            if isinstance(value, dict) and isinstance(other, dict):
                if inner := self._difference((*at, key), value, other):
                    found[key] = inner
            elif (type(value), value) != (type(other), other):
                found[key] = value
        if any(at[: n + 1] in self._whole for n in range(len(at))):
            found |= {key: None for key in theirs if key not in ours}
        return found
