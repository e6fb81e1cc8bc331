"""What is wrong with settings, in lines that name the setting and never its value."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from .tree import DELIMITER, PREFIX, Path, Tree, leaves, variable


class InvalidSettings(Exception):
    """The settings are refused; one line per problem, each with its variable's name."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


def explain(
    kind: type[Tree], exc: ValidationError, origins: Mapping[Path, str], under: Path = ()
) -> list[str]:
    """One line per error, with the layer that the value came from where that is not obvious.

    Args:
        under: the branch that was validated.
    """
    lines = []
    for error in exc.errors(include_input=False, include_url=False):
        place = (*under, *error["loc"])
        name = variable(place)
        reason = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        if error["type"] == "extra_forbidden":
            reason = "no such setting" + hint(kind, name)
        lines.append(f"{name}: {reason}{_where(origins, tuple(map(str, place)))}")
    return sorted(lines)


def _where(origins: Mapping[Path, str], path: Path) -> str:
    """The layers that a problem comes from, where they are not the usual one."""
    below = {layer for place, layer in origins.items() if place[: len(path)] == path}
    layers = sorted((below or {origin(origins, path)}) - {"default", "environment"})
    return f" (in {', '.join(layers)})" if layers else ""


def origin(origins: Mapping[Path, str], path: Path) -> str:
    """The layer that a setting came from: its own entry, or that of the branch it is in."""
    for length in range(len(path), 0, -1):
        if layer := origins.get(path[:length]):
            return layer
    return "default"


def known(kind: type[Tree]) -> set[str]:
    """The variables of every setting."""
    return {variable(leaf.path) for leaf in leaves(kind)}


def hint(kind: type[Tree], name: str) -> str:
    """The setting that was probably meant, ready to be added to a sentence."""
    near = difflib.get_close_matches(name, known(kind), n=1)
    return f", did you mean {near[0]}?" if near else ""


def unknown_variables(kind: type[Tree], environ: Iterable[str]) -> Iterator[str]:
    """Variables with our prefix that name no setting, each with the likely intention.

    In the environment a warning and not an error: Kubernetes adds variables for every
    Service of a namespace.
    """
    settings = known(kind)
    for name in sorted(environ):
        upper = name.upper()
        if not upper.startswith(PREFIX) or any(
            upper == setting or upper.startswith(setting + DELIMITER) or setting.startswith(upper)
            for setting in settings
        ):
            continue
        yield f"{name}: no such setting{hint(kind, upper)}"


def not_json(kind: type[Tree], pairs: Mapping[str, str]) -> Iterator[str]:
    """Values of lists and maps that are no JSON; pydantic-settings says only in which group."""
    texts = {name.upper(): value for name, value in pairs.items()}
    for leaf in leaves(kind):
        name, form = variable(leaf.path), _json_form(leaf.field.annotation)
        if form and name in texts:
            try:
                json.loads(texts[name])
            except ValueError:
                yield f"{name}: takes {form}"
    groups = {variable(leaf.path[:n]) for leaf in leaves(kind) for n in range(1, len(leaf.path))}
    for name in sorted(groups & texts.keys()):
        try:
            json.loads(texts[name])
            continue
        except ValueError:
            pass
        yield f"{name}: takes a JSON object; a single setting is {name}{DELIMITER}..."


def _json_form(annotation: Any) -> str:
    kind = get_origin(annotation)
    if kind is dict:
        return 'a JSON object, such as {"name": "value"}'
    if kind is tuple:
        texts = get_args(annotation)[0] is str or not isinstance(get_args(annotation)[0], type)
        return "a JSON list, such as " + ('["a", "b"]' if texts else '[{"name": "value"}]')
    return ""
