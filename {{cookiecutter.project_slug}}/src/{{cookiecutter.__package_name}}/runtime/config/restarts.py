"""What cannot change while the service runs stays as it was, and is said to wait for a restart."""

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from .layers import Branch, validated
from .problems import InvalidSettings, origin
from .tree import Path, Tree, leaves, values, variable

S = TypeVar("S", bound=Tree)
Origins = Mapping[Path, str]
MISSING = object()


class Resolved(NamedTuple, Generic[S]):
    """Settings, the tree that they were made from, and the layer of each of its values."""

    settings: S
    tree: Branch
    origins: Origins


def keep_running(
    kind: type[S], first: Resolved[S], wanted: Resolved[S]
) -> tuple[Resolved[S], Mapping[str, Any]]:
    """The wanted settings with what needs a restart as it was at the start.

    Args:
        first: what the process began with.
        wanted: what it would begin with now.

    Returns:
        What can be in force, and what waits for a restart: by variable, the value then, masked.

    Raises:
        InvalidSettings: they contradict what is running; only a restart can bring them.
    """
    began = dict(values(first.settings, masked=False))
    now = dict(values(wanted.settings, masked=False))
    cold = [leaf.path for leaf in leaves(kind) if not leaf.hot]
    waiting = [path for path in cold if began[path] != now[path]]
    if not waiting:
        return wanted, {}
    tree, origins = wanted.tree, dict(wanted.origins)
    for path in waiting:
        tree = _with(tree, path, _at(first.tree, path))
        origins[path] = origin(first.origins, path)
    try:
        settings = validated(kind, tree, origins)
    except InvalidSettings as exc:
        names = ", ".join(variable(path) for path in waiting)
        because = f"needs a restart: it contradicts what is running of {names}"
        raise InvalidSettings([f"{line}; {because}" for line in exc.problems]) from None
    shown = dict(values(wanted.settings))
    return Resolved(settings, tree, origins), {variable(path): shown[path] for path in waiting}


def _at(tree: Branch, path: Path) -> Any:
    value: Any = tree
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return MISSING
        value = value[name]
    return value


def _with(tree: Branch, path: Path, value: Any) -> Branch:
    """A copy in which the value stands there; it is gone where it was missing."""
    copy = dict(tree)
    name, *rest = path
    if rest:
        below = copy.get(name)
        copy[name] = _with(below if isinstance(below, Mapping) else {}, tuple(rest), value)
    elif value is MISSING:
        copy.pop(name, None)
    else:
        copy[name] = value
    return copy
