"""Finds the route of a path in steps that depend on the path's length, not on the routes' number.

Literal segments go before templated ones, as OpenAPI asks for: `/orders/mine` is found
before `/orders/{id}`.
"""

import re
from typing import Generic, TypeVar

T = TypeVar("T")
_NAME = re.compile(r"\{([^{}]+)\}")
# Of a segment with parameters: what it begins with, what is between them, what it ends with.
_Literals = tuple[str, tuple[str, ...], str]


class _Node(Generic[T]):
    __slots__ = ("literal", "methods", "names", "patterns", "whole")

    def __init__(self) -> None:
        self.literal: dict[str, _Node[T]] = {}
        self.patterns: list[tuple[_Literals, _Node[T]]] = []  # `{name}.json`
        self.whole: _Node[T] | None = None  # `{name}`
        self.methods: dict[str, tuple[T, tuple[str, ...]]] = {}


class Found(Generic[T]):
    """A path that exists: what answers each method, and the values of its parameters."""

    __slots__ = ("_values", "methods")

    def __init__(
        self, methods: dict[str, tuple[T, tuple[str, ...]]], values: tuple[str, ...]
    ) -> None:
        self.methods = methods
        self._values = values

    def method(self, name: str) -> tuple[T, dict[str, str]] | None:
        """What answers it, with its path parameters; None when the method is not allowed."""
        found = self.methods.get(name)
        if found is None:
            return None
        return found[0], dict(zip(found[1], self._values, strict=True)) if self._values else {}


class Lookup(Generic[T]):
    """Paths with `{parameters}` and what answers them."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._literal: dict[str, Found[T]] = {}

    def add(self, method: str, path: str, value: T) -> None:
        """Add one route. Raises `ValueError` when another has its place."""
        node = self._root
        names: list[str] = []
        for segment in path.split("/"):
            found = _NAME.findall(segment)
            names += found
            if not found:
                node = node.literal.setdefault(segment, _Node())
            elif segment == "{" + found[0] + "}":
                node.whole = node.whole or _Node()
                node = node.whole
            else:
                node = self._pattern(node, segment)
        if method in node.methods:
            raise ValueError(f"two routes answer {method} {path}")
        node.methods[method] = value, tuple(names)
        if not names:
            self._literal[path] = Found(node.methods, ())

    def _pattern(self, node: _Node[T], segment: str) -> _Node[T]:
        first, *between, last = _NAME.split(segment)[::2]
        literals = first, tuple(between), last
        for known, child in node.patterns:
            if known == literals:
                return child
        child = _Node[T]()
        node.patterns.append((literals, child))
        # The one with more literal text first: `{name}.tar.gz` before `{name}.gz`.
        node.patterns.sort(key=lambda one: -len(one[0][0] + "".join(one[0][1]) + one[0][2]))
        return child

    def find(self, path: str) -> Found[T] | None:
        """The path's route, or None."""
        found = self._literal.get(path)
        if found is not None:
            return found
        return _walk(self._root, path.split("/"), 0, ())


def _walk(node: _Node[T], segments: list[str], at: int, values: tuple[str, ...]) -> Found[T] | None:
    if at == len(segments):
        return Found(node.methods, values) if node.methods else None
    segment = segments[at]
    child = node.literal.get(segment)
    if child is not None and (found := _walk(child, segments, at + 1, values)) is not None:
        return found
    for (first, between, last), child in node.patterns:
        if segment.startswith(first) and segment.endswith(last):
            own = _between(between, segment[len(first) : len(segment) - len(last)])
            if own and (found := _walk(child, segments, at + 1, (*values, *own))):
                return found
    if node.whole is not None and segment:
        return _walk(node.whole, segments, at + 1, (*values, segment))
    return None


def _between(literals: tuple[str, ...], rest: str) -> tuple[str, ...] | None:
    """The values around these literals; a later one is as short as it can be.

    Not a regular expression: of three parameters in a segment, a long one takes it minutes.
    """
    values: tuple[str, ...] = ()
    for literal in reversed(literals):
        at = rest.rfind(literal, 1, len(rest) - 1)
        if at < 1:
            return None
        rest, values = rest[:at], (rest[at + len(literal) :], *values)
    return (rest, *values) if rest else None
