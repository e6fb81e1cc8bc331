"""The tree of settings: its root, its leaves, and what they are called by."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .groups import HOT, Environment, Group

PREFIX = "APP_"
DELIMITER = "__"
Path = tuple[str, ...]


class Tree(BaseSettings):
    """The root. It reads nothing by itself: `layers.py` merges and validates the whole."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    environment: Environment = Environment.DEVELOPMENT

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    def unsafe(self) -> list[str]:
        """What must not be so in this environment, one line each with the variable's name."""
        groups = [getattr(self, name) for name in type(self).model_fields]
        return [
            line
            for group in groups
            if isinstance(group, Group)
            for line in group.unsafe(self.environment)
        ]


class Leaf(NamedTuple):
    """One setting of a kind of tree."""

    path: Path
    field: FieldInfo
    hot: bool


def variable(path: tuple[int | str, ...]) -> str:
    """The environment variable of a place in the tree."""
    return PREFIX + DELIMITER.join(str(part) for part in path).upper()


def leaves(kind: type[BaseModel], path: Path = (), *, hot: bool = False) -> Iterator[Leaf]:
    """Every setting; a branch that is hot makes all below it so."""
    for name, field in kind.model_fields.items():
        inner, warm = field.annotation, hot or HOT in field.metadata
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from leaves(inner, (*path, name), hot=warm)
        else:
            yield Leaf((*path, name), field, warm)


def hot_settings(kind: type[BaseModel]) -> frozenset[Path]:
    """Those that may change while the service runs."""
    return frozenset(leaf.path for leaf in leaves(kind) if leaf.hot)


def is_hot(path: Path, hot: frozenset[Path]) -> bool:
    """Whether `path` is one of these, or a place inside of one, such as a key of a table."""
    return any(path[:end] in hot for end in range(1, len(path) + 1))


def values(model: BaseModel, path: Path = (), *, masked: bool = True) -> Iterator[tuple[Path, Any]]:
    """Every setting in force; masked as JSON has it, without secrets. Maps by their keys."""
    for name in type(model).model_fields:
        yield from _values(getattr(model, name), (*path, name), masked)


def shown(settings: BaseModel) -> dict[str, Any]:
    """Every setting in force by its variable's name, secrets masked."""
    return {variable(path): value for path, value in values(settings)}


def _values(value: Any, path: Path, masked: bool) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, BaseModel):
        yield from values(value, path, masked=masked)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _values(one, (*path, key), masked)
    elif not masked:
        yield path, value
    elif isinstance(value, SecretStr):
        yield path, "***" if value.get_secret_value() else ""
    elif isinstance(value, tuple):
        yield path, [_plain(one) for one in value]
    else:
        yield path, value


def _plain(value: Any) -> Any:
    """As JSON has it, and so as a variable takes it."""
    return value.model_dump(exclude_defaults=True) if isinstance(value, BaseModel) else value


def differences(old: BaseModel, new: BaseModel) -> dict[Path, tuple[Any, Any]]:
    """What differs: before and after, masked; None where it is not there."""
    was, now = dict(values(old, masked=False)), dict(values(new, masked=False))
    paths = [path for path in {**was, **now} if was.get(path) != now.get(path)]
    if not paths:
        return {}
    shown_was, shown_now = dict(values(old)), dict(values(new))
    return {path: (shown_was.get(path), shown_now.get(path)) for path in paths}
