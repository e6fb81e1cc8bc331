"""The good objects, and the bad ones that are made of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Sample:
    """An object that somebody asks for.

    Attributes:
        rule: the one that must refuse it; empty: it must pass.
        subresource: what of it is updated; empty: it is created.
    """

    name: str
    object: dict[str, Any]
    rule: str = ""
    subresource: str = ""


def good() -> list[Sample]:
    """What must pass."""
    return [Sample(one["metadata"]["name"], one) for one in _documents("good")]


def bad() -> list[Sample]:
    """What must not: each differs from a good one by its patch."""
    known = {one.name: one.object for one in good()}
    return [
        Sample(
            f"{number}-{one['rule']}",
            patched(known[one["of"]], one["patch"]),
            one["rule"],
            one.get("subresource", ""),
        )
        for number, one in enumerate(_documents("bad"))
    ]


def patched(original: dict[str, Any], patch: Sequence[Any]) -> dict[str, Any]:
    """Apply a JSON Patch (RFC 6902): `add`, `replace`, `remove`."""
    # A JSON copy: what the file's anchors share must not change together.
    changed: dict[str, Any] = json.loads(json.dumps(original))
    for one in patch:
        *way, last = [step.replace("~1", "/") for step in one["path"].split("/")[1:]]
        place: Any = changed
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        key = int(last) if isinstance(place, list) and last != "-" else last
        if one["op"] != "add":
            del place[key]  # what is not there cannot be replaced or removed
        if one["op"] != "remove":
            if isinstance(place, list):
                place.insert(len(place) if key == "-" else key, one["value"])
            else:
                place[key] = one["value"]
    return changed


def _documents(folder: str) -> Iterator[dict[str, Any]]:
    for path in sorted(HERE.joinpath(folder).glob("*.yaml")):
        yield from yaml.safe_load(path.read_text(encoding="utf-8"))
