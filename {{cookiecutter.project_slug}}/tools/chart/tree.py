"""What a template holds besides plain data: places for values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Path = tuple[str, ...]
# What an overlay lacks where another has something.
MISSING: Final = object()
# Stands for the namespace in a text; no name of Kubernetes may have it.
NAMESPACE: Final = "__NAMESPACE__"


@dataclass(frozen=True, slots=True)
class Value:
    """Whatever the values have at `path`; left out where that is null, if it may be."""

    path: Path
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """The image of the service, from its parts in the values."""

    path: Path


@dataclass(frozen=True, slots=True)
class Text:
    """A text with `NAMESPACE` in it."""

    text: str


@dataclass(frozen=True, slots=True)
class Strings:
    """A mapping of names to texts, for a ConfigMap's data; as a list, for a container's env."""

    path: Path
    first: Sequence[Any] = ()
    listed: bool = False


def image_parts(image: str) -> Mapping[str, str | None]:
    """Repository, tag and digest of an image's name."""
    name, _, digest = image.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return {"repository": head + slash + last, "tag": tag or None, "digest": digest or None}
