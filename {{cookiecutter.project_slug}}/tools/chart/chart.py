"""The chart as a whole: which objects, under which conditions, in which files."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tools.manifests.model import Manifest, Rendered

from .merging import ALIASES, Merger
from .tree import Path as ValuePath
from .values import Values, camel
from .writing import template

# The first is what the chart is without any other values.
OVERLAYS = ("production", "staging", "dev")
Key = tuple[str, str, str]


def namespace_of(rendered: Rendered) -> str:
    """Where the objects of this overlay are."""
    found = {o["metadata"]["namespace"] for o in rendered.objects if "namespace" in o["metadata"]}
    if len(found) != 1:
        raise ValueError(f"{rendered.name}: one namespace, not {', '.join(sorted(found))}")
    return str(found.pop())


def key_of(manifest: Manifest) -> Key:
    """What it is in every overlay; the Namespace has another name in each."""
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    return manifest["apiVersion"], kind, "" if kind == "Namespace" else name


class Chart:
    """Made from the rendered overlays, by name, and the service's folder."""

    def __init__(self, root: Path, rendered: Mapping[str, Rendered]) -> None:
        project = tomllib.loads(root.joinpath("pyproject.toml").read_text(encoding="utf-8"))
        self._project: Mapping[str, Any] = project["project"]
        self._namespaces = {o: namespace_of(one) for o, one in rendered.items()}
        self._objects = {o: {key_of(m): m for m in one.objects} for o, one in rendered.items()}
        self._values = Values(rendered)
        self._values.add(("namespace",), self._namespaces)
        self._files = dict(self._templates())

    def files(self) -> Iterator[tuple[str, str]]:
        """Path and content of each file."""
        about = {
            "apiVersion": "v2",
            "name": self._project["name"],
            "description": self._project["description"],
            "type": "application",
            "version": self._project["version"],
            "appVersion": self._project["version"],
        }
        yield "Chart.yaml", dumped(about)
        base, *others = self._objects
        yield "values.yaml", f"# As in {base}.\n" + dumped(self._values.defaults(base))
        for overlay in others:
            differences = dumped(self._values.differences(overlay, base))
            yield f"values-{overlay}.yaml", f"# What {overlay} has otherwise.\n{differences}"
        # For symmetry, so that the command is the same for each.
        yield f"values-{base}.yaml", f"# values.yaml is {base}'s.\n" + dumped({})
        yield from self._files.items()

    def _templates(self) -> Iterator[tuple[str, str]]:
        keys = dict.fromkeys(key for objects in self._objects.values() for key in objects)
        found: dict[str, list[str]] = {}
        counts = Counter(kind for _, kind, _ in keys)
        for key in keys:
            prefix = self._prefix(key, counts)
            nodes = {o: objects[key] for o, objects in self._objects.items() if key in objects}
            config = key[1:] == ("ConfigMap", self._project["name"])
            merger = Merger(self._values, self._namespaces, prefix, config=config)
            made = merger.node((), nodes)
            condition = self._condition(key, prefix)
            kind = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", key[1]).lower()
            found.setdefault(f"templates/{kind}.yaml", []).append(template(made, condition))
        for path, texts in found.items():
            yield path, "---\n".join(texts)

    def _prefix(self, key: Key, counts: Mapping[str, int]) -> str:
        _, kind, name = key
        own = self._project["name"]
        short = ALIASES.get(kind, kind)
        if counts[kind] == 1 or name in ("", own):
            return camel(short)
        return camel(short, name.removeprefix(f"{own}-"))

    def _condition(self, key: Key, prefix: str) -> ValuePath | None:
        there = {overlay: key in objects for overlay, objects in self._objects.items()}
        return None if all(there.values()) else self._values.add((prefix, "enabled"), there)


def dumped(content: Mapping[str, Any] | Sequence[Any]) -> str:
    """As YAML, in the order in which it was made."""
    return yaml.safe_dump(dict(content), sort_keys=False, width=100, allow_unicode=True)
