"""From what sources hold to one tree that is valid as a whole, or to the reasons why it is not."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from .problems import InvalidSettings, explain, not_json, unknown_variables
from .reading import Reading
from .tree import DELIMITER, PREFIX, Path, Tree

S = TypeVar("S", bound=Tree)
Branch = Mapping[str, Any]
DOCUMENTS = frozenset({".yaml", ".yml", ".toml", ".json"})


class Layer(NamedTuple):
    """The settings of one source."""

    name: str
    tree: Branch


def parse(kind: type[Tree], name: str, reading: Reading) -> Layer:
    """What the entries of one source say.

    Raises:
        InvalidSettings: they cannot be read, or name what is no setting.
    """
    tree: Branch = {}
    pairs: dict[str, str] = {}
    problems = []
    for entry, content in sorted(reading.entries.items()):
        try:
            text = content.decode()
            if PurePosixPath(entry).suffix in DOCUMENTS:
                tree = merged(tree, _document(kind, entry, text))
            else:
                # Editors, and `kubectl create --from-file` with them, end the last line.
                pairs[entry_variable(entry)] = text.removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            problems.append(f"{entry}: is no UTF-8 text (in {name})")
        except ValueError as exc:
            problems.append(f"{entry}: {exc} (in {name})")
    problems += [f"{line} (in {name})" for line in unknown_variables(kind, pairs)]
    if problems:
        raise InvalidSettings(problems)
    tree = merged(tree, from_pairs(kind, pairs))
    if "config" in tree:
        reason = "only the environment can say where settings come from"
        raise InvalidSettings([f"{PREFIX}CONFIG: {reason} (in {name})"])
    return Layer(name, tree)


def entry_variable(entry: str) -> str:
    """The variable that an entry such as `log/level` or `log.level` stands for."""
    name = entry.strip("/").replace("/", DELIMITER).replace(".", DELIMITER).upper()
    return name if name.startswith(PREFIX) else PREFIX + name


def from_pairs(kind: type[Tree], pairs: Mapping[str, str]) -> Branch:
    """The tree of variables, as pydantic-settings reads them from the environment.

    Raises:
        InvalidSettings: a list, map or group that is no JSON.
    """

    class Pairs(EnvSettingsSource):
        def _load_env_vars(self) -> Mapping[str, str | None]:
            return {name.lower(): value for name, value in pairs.items()}

    try:
        return Pairs(kind)()
    except (SettingsError, RecursionError) as exc:
        raise InvalidSettings(list(not_json(kind, pairs)) or [f"{PREFIX}*: {exc}"]) from None


def _document(kind: type[Tree], entry: str, text: str) -> Branch:
    """A tree that stands in one entry. Raises `ValueError` with a line that shows no value."""
    try:
        if entry.endswith(".toml"):
            tree: Any = tomllib.loads(text)
        elif entry.endswith(".json"):
            tree = json.loads(text)
        else:
            tree = _yaml(text)
    except yaml.MarkedYAMLError as exc:
        at = f" in line {exc.problem_mark.line + 1}" if exc.problem_mark else ""
        raise ValueError(f"is no YAML{at}") from None
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, yaml.YAMLError, RecursionError):
        raise ValueError(f"is no {PurePosixPath(entry).suffix[1:].upper()}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ValueError("is no map of settings")
    return _without_empty(kind, tree)


def _yaml(text: str) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # A page of aliases of aliases is gigabytes once it is a tree.
    if "*" in text and any(isinstance(one, yaml.AliasEvent) for one in yaml.parse(text, loader)):
        raise ValueError("has aliases, which are not taken")
    return yaml.load(text, loader)  # noqa: S506 - both loaders are the safe ones


def _without_empty(kind: type[BaseModel], tree: Branch) -> Branch:
    """Without branches that say nothing: `log:` with all below it commented out."""
    kept = {}
    for key, value in tree.items():
        if not isinstance(key, str):
            raise ValueError("has a name that is no text")
        field = kind.model_fields.get(key)
        inner = field.annotation if field else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            if value is None:
                continue
            kept[key] = _without_empty(inner, value) if isinstance(value, dict) else value
        else:
            kept[key] = value
    return kept


def merged(lower: Branch, upper: Branch) -> Branch:
    """`upper` over `lower`: maps merge deeply, everything else replaces."""
    tree = dict(lower)
    for key, value in upper.items():
        below = tree.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            tree[key] = merged(below, value)
        else:
            tree[key] = value
    return tree


def stack(layers: Iterable[Layer]) -> tuple[Branch, Mapping[Path, str]]:
    """All layers in one tree, lowest first, and which of them each value came from."""
    tree: Branch = {}
    origins: dict[Path, str] = {}
    for layer in layers:
        tree = merged(tree, layer.tree)
        origins.update(dict.fromkeys(_paths(layer.tree), layer.name))
    return tree, origins


def _paths(tree: Branch, path: Path = ()) -> Iterable[Path]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _paths(value, (*path, str(key)))
        else:
            yield (*path, str(key))


def validated(kind: type[S], tree: Branch, origins: Mapping[Path, str]) -> S:
    """The settings.

    Raises:
        InvalidSettings: with every problem at once, and no value in any of them.
    """
    try:
        settings = kind.model_validate(tree)
    except ValidationError as exc:
        raise InvalidSettings(explain(kind, exc, origins)) from None
    if problems := settings.unsafe():
        raise InvalidSettings(problems)
    return settings
