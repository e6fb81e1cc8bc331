"""Settings from the environment: read, validated as a whole, explained line by line."""

import difflib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsError

S = TypeVar("S", bound=BaseSettings)
DELIMITER = "__"


class InvalidSettings(Exception):
    """The settings are refused; one line per problem, each with its variable's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(kind: type[S]) -> S:
    """Read `kind` from the environment.

    Raises:
        InvalidSettings: with every problem at once, and no secret in any of them.
    """
    prefix = kind.model_config.get("env_prefix", "")
    try:
        return kind()
    except ValidationError as exc:
        problems = [
            f"{variable(error['loc'], prefix)}: {_reason(error['msg'])}"
            for error in exc.errors(include_input=False, include_url=False)
        ]
    except SettingsError as exc:
        problems = list(_not_json(kind, environment())) or [f"{prefix}*: {exc}"]
    raise InvalidSettings(sorted(problems))


def variable(location: tuple[int | str, ...], prefix: str) -> str:
    """The environment variable of a place in the tree."""
    return prefix + DELIMITER.join(str(part) for part in location).upper()


def unknown_variables(kind: type[BaseSettings], environ: Mapping[str, str]) -> Iterator[str]:
    """Variables with our prefix that name no setting, each with the likely intention.

    A warning and not an error: Kubernetes adds variables for every Service of a namespace.
    """
    prefix = kind.model_config.get("env_prefix", "")
    known = {variable(path, prefix) for path, _ in _leaves(kind)}
    for name in sorted(environ):
        upper = name.upper()
        if not upper.startswith(prefix) or any(
            upper == setting or upper.startswith(setting + DELIMITER) or setting.startswith(upper)
            for setting in known
        ):
            continue
        near = difflib.get_close_matches(upper, known, n=1)
        yield f"{name}: no such setting" + (f", did you mean {near[0]}?" if near else "")


def _not_json(kind: type[BaseSettings], environ: Mapping[str, str]) -> Iterator[str]:
    """Lists that cannot be read; pydantic-settings says only in which group."""
    prefix = kind.model_config.get("env_prefix", "")
    values = {name.upper(): value for name, value in environ.items()}
    for path, field in _leaves(kind):
        name = variable(path, prefix)
        if get_origin(field.annotation) is tuple and name in values:
            try:
                json.loads(values[name])
            except ValueError:
                yield f'{name}: takes a JSON list, such as ["a", "b"]'


def effective(settings: BaseModel, prefix: str) -> dict[str, Any]:
    """Every setting in force by its variable's name, secrets masked."""
    return {variable(path, prefix): value for path, value in _values(settings)}


def _values(model: BaseModel, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _values(value, (*path, name))
        elif isinstance(value, SecretStr):
            yield (*path, name), "***" if value.get_secret_value() else ""
        elif isinstance(value, tuple):
            yield (*path, name), [_plain(one) for one in value]
        else:
            yield (*path, name), value


def _plain(value: Any) -> Any:
    """As JSON has it, and so as a variable takes it."""
    return value.model_dump(exclude_defaults=True) if isinstance(value, BaseModel) else value


def _leaves(
    kind: type[BaseModel], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _leaves(inner, (*path, name))
        else:
            yield (*path, name), field


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Assertion failed, ")


def environment() -> Mapping[str, str]:
    """The process's environment; the one place that reads it outside of pydantic-settings."""
    return os.environ
