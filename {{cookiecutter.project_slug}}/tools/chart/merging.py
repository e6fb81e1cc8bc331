"""Makes one template of an object as several overlays have it."""

from collections.abc import Mapping, Sequence
from typing import Any

from .tree import MISSING, NAMESPACE, Image, Path, Strings, Text, Value, image_parts
from .values import Values, camel

Nodes = Mapping[str, Any]
# Shorter names for what people look for in a chart's values.
ALIASES = {
    "HorizontalPodAutoscaler": "autoscaling",
    "PodDisruptionBudget": "disruptionBudget",
    "ConfigMap": "config",
}
# Steps on the way to a setting that say nothing to its reader.
SILENT = {"spec", "template", "metadata", "containers", "initContainers"}


def same(values: Sequence[Any]) -> bool:
    """Whether all are equal, to the type."""
    return all(repr(one) == repr(values[0]) for one in values)


def named(items: Any) -> bool:
    """Whether it is a list whose items are known by their names."""
    if not isinstance(items, list) or not all(isinstance(i, dict) and "name" in i for i in items):
        return False
    return len({item["name"] for item in items}) == len(items)


class Merger:
    """Goes through one object of the overlays that have it.

    Args:
        namespaces: by overlay.
        prefix: where the values of this object go.
        config: it is the ConfigMap of the service's settings.
    """

    def __init__(
        self, values: Values, namespaces: Mapping[str, str], prefix: str, *, config: bool
    ) -> None:
        self._values = values
        self._namespaces = namespaces
        self._prefix = prefix
        self._config = config

    def node(self, at: Path, nodes: Nodes) -> Any:
        """What the template has here."""
        found = list(nodes.values())
        if at == ("data",) and self._config:
            return Strings(self._values.add((self._prefix,), nodes))
        if at[-1:] == ("image",) and "containers" in str(at).lower():
            return self._image(at, nodes)
        if same(found):
            return found[0]
        if MISSING in found:
            return self._value(at, nodes, optional=True)
        if all(isinstance(one, dict) for one in found):
            keys = dict.fromkeys(key for one in found for key in one)
            return {key: self._step(at, key, nodes) for key in keys}
        if at[-1:] == ("env",) and all(map(named, found)):
            return self._env(at, nodes)
        if all(map(named, found)):
            return self._named(at, nodes)
        if all(isinstance(one, list) for one in found) and same([len(one) for one in found]):
            return [
                self.node((*at, str(n)), {o: items[n] for o, items in nodes.items()})
                for n in range(len(found[0]))
            ]
        return self._text(nodes) or self._value(at, nodes)

    def _step(self, at: Path, key: str, nodes: Nodes) -> Any:
        return self.node((*at, key), {o: node.get(key, MISSING) for o, node in nodes.items()})

    def _value(self, at: Path, nodes: Nodes, *, optional: bool = False) -> Value:
        steps = [camel(step) for step in at if step not in SILENT]
        return Value(self._values.add((self._prefix, *steps), nodes), optional)

    def _named(self, at: Path, nodes: Nodes) -> list[Any]:
        by_name = {o: {item["name"]: item for item in items} for o, items in nodes.items()}
        names = dict.fromkeys(name for items in by_name.values() for name in items)
        return [self._step(at, name, by_name) for name in names]

    def _env(self, at: Path, nodes: Nodes) -> Strings | list[Any]:
        """What all overlays have stays as it is; the rest are values by name."""
        by_name = {o: {item["name"]: item for item in items} for o, items in nodes.items()}
        names = dict.fromkeys(name for items in by_name.values() for name in items)
        everywhere = {n for n in names if same([i.get(n) for i in by_name.values()])}
        others = [i[n] for i in by_name.values() for n in names if n in i and n not in everywhere]
        if not all(set(item) == {"name", "value"} for item in others):
            return self._named(at, nodes)
        first = [item for item in next(iter(nodes.values())) if item["name"] in everywhere]
        texts = {
            o: {n: items[n]["value"] for n in names if n in items and n not in everywhere}
            for o, items in by_name.items()
        }
        return Strings(self._values.add(("env", camel(at[-2])), texts), first, listed=True)

    def _image(self, at: Path, nodes: Nodes) -> Image | Value:
        if MISSING in nodes.values():
            return self._value(at, nodes, optional=True)
        parts = {overlay: image_parts(image) for overlay, image in nodes.items()}
        return Image(self._values.add(("image",), parts))

    def _text(self, nodes: Nodes) -> Text | None:
        """A text that differs by the namespace in it alone."""
        if not all(isinstance(one, str) for one in nodes.values()):
            return None
        longest = max(nodes, key=lambda overlay: len(self._namespaces[overlay]))
        text = nodes[longest].replace(self._namespaces[longest], NAMESPACE)
        if all(text.replace(NAMESPACE, self._namespaces[o]) == one for o, one in nodes.items()):
            return Text(text)
        return None
