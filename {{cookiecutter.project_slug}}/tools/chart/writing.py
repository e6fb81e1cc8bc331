"""Writes templates as Helm reads them.

The braces are joined here and nowhere else: where this service was
written from they mean something.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from .tree import NAMESPACE, Image, Path, Strings, Text, Value

OPEN, CLOSE = "{" * 2, "}" * 2
WIDE = 1 << 20


def action(code: str) -> str:
    """What Helm replaces by its result."""
    return f"{OPEN} {code} {CLOSE}"


def control(code: str) -> str:
    """A line of its own that leaves nothing behind."""
    return f"{OPEN}- {code} {CLOSE}"


def at(path: Path) -> str:
    """The values at this path."""
    return ".Values." + ".".join(path)


def given(code: str) -> str:
    """Whether that is there: 0 and false are, null is not."""
    return f'not (kindIs "invalid" {code})'


def literal(text: str) -> str:
    """The same text where Helm would see braces of its own (Prometheus has them as well)."""
    marked = text.replace(OPEN, "\0").replace(CLOSE, "\1")
    return marked.replace("\0", action(f'"{OPEN}"')).replace("\1", action(f'"{CLOSE}"'))


def scalar(value: object, indent: int) -> str:
    """A scalar in YAML; texts of several lines as blocks."""
    style = "|" if isinstance(value, str) and "\n" in value else None
    text = yaml.safe_dump(value, default_style=style, width=WIDE, allow_unicode=True)
    lines = text.removesuffix("...\n").removesuffix("\n").split("\n")
    shift = " " * max(indent - 2, 0)
    return literal("\n".join([lines[0], *(shift + line if line else "" for line in lines[1:])]))


def inline(node: Any, indent: int) -> str:
    """A node that follows its key."""
    match node:
        case Value(path):
            return action(f"{at(path)} | toJson")
        case Image(path):
            of = at(path)
            tag = f"{action(f'with {of}.tag')}:{action('.')}{action('end')}"
            digest = f"{action(f'with {of}.digest')}@{action('.')}{action('end')}"
            return f'"{action(f"{of}.repository")}{tag}{digest}"'
        case Text(text):
            return scalar(text, indent).replace(NAMESPACE, action(".Values.namespace"))
        case dict():
            return OPEN[0] + CLOSE[0]
        case list():
            return "[]"
        case _:
            return scalar(node, indent)


def strings(node: Strings, indent: int) -> Iterator[str]:
    """The names and texts, in the order of the names."""
    pad = " " * indent
    yield from entries(list(node.first), indent)
    yield control(f"range $name, $text := {at(node.path)}")
    yield control(f"if {given('$text')}")
    text = action("$text | toString | toJson")
    if node.listed:
        yield f"{pad}- name: {action('$name')}"
        yield f"{pad}  value: {text}"
    else:
        yield f"{pad}{action('$name')}: {text}"
    yield control("end")
    yield control("end")


def entries(node: Any, indent: int) -> Iterator[str]:
    """The lines of a mapping or a list."""
    if isinstance(node, Strings):
        yield from strings(node, indent)
        return
    pad = " " * indent
    pairs = node.items() if isinstance(node, dict) else ((None, item) for item in node)
    for key, item in pairs:
        head = "-" if key is None else scalar(key, 0) + ":"
        optional = isinstance(item, Value) and item.optional
        if optional:
            yield control(f"if {given(at(item.path))}")
        if isinstance(item, Strings) or (isinstance(item, dict | list) and item):
            lines = list(entries(item, indent + 2))
            if key is None and lines[0].startswith(pad):
                yield f"{pad}- {lines[0].removeprefix(pad + '  ')}"
                yield from lines[1:]
            else:
                yield pad + head
                yield from lines
        else:
            yield f"{pad}{head} {inline(item, indent + 2)}"
        if optional:
            yield control("end")


def template(manifest: Any, condition: Path | None) -> str:
    """One object; with a condition, only where the values have it."""
    lines = list(entries(manifest, 0))
    if condition:
        lines = [control(f"if {at(condition)}"), *lines, control("end")]
    return "\n".join(lines) + "\n"
