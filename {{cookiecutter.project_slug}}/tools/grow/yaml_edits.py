"""Insertions into YAML documents at places that their nodes give; comments and all else stay.

Raises `NoPlace` where the place is not there, or not in block style.
"""

import re
import textwrap
from collections.abc import Iterator

import yaml

from .python_edits import NoPlace


def with_item(text: str, path: tuple[str, ...], item: str) -> str:
    """A list at `path` with one more item at its end."""
    node = _at(_root(text), path)
    if not isinstance(node, yaml.SequenceNode) or node.flow_style or not node.value:
        raise NoPlace(f"list {'.'.join(path)} with an item on a line of its own")
    # A block list's items start behind their dash.
    indent = " " * node.start_mark.column
    return _insert(text, node, f"{indent}- {item}\n")


def with_keys(text: str, path: tuple[str, ...], block: str) -> str:
    """A mapping at `path` with more keys at its end; `block` is indented to fit."""
    node = _at(_root(text), path)
    if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
        raise NoPlace(f"mapping {'.'.join(path)} with a key on a line of its own")
    return _insert(text, node, textwrap.indent(block, " " * node.start_mark.column))


def keys(text: str, *path: str) -> set[str]:
    """The keys of a mapping; none where there is no such mapping."""
    try:
        node = _at(_root(text), path)
    except NoPlace:
        return set()
    return {key.value for key, _ in node.value} if isinstance(node, yaml.MappingNode) else set()


def names(text: str, *path: str) -> set[str]:
    """The `name` of each mapping in a list; none where there is no such list."""
    try:
        node = _at(_root(text), path)
    except NoPlace:
        return set()
    items = node.value if isinstance(node, yaml.SequenceNode) else ()
    return {str(_value(item, "name")) for item in items if isinstance(item, yaml.MappingNode)}


def with_variable(text: str, like: str, name: str, value: str) -> str:
    """Each list of a pod's variables that has one like `like`, with one more after the last such.

    Args:
        like: a regular expression for the whole name.
    """
    lines = text.splitlines(keepends=True)
    for node in reversed(list(_last_alike(_root(text), like))):
        dash = " " * (node.start_mark.column - 2)
        new = f"{dash}- name: {name}\n{dash}  value: {value}\n"
        lines.insert(_end_line(text, node), new)
    return "".join(lines)


def _last_alike(node: yaml.Node, like: str) -> Iterator[yaml.MappingNode]:
    """Of each block list, the last item whose `name` is like it."""
    children = [part for pair in node.value for part in pair] if _is_map(node) else node.value
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        alike = [
            item
            for item in node.value
            if isinstance(item, yaml.MappingNode)
            and not item.flow_style
            and re.fullmatch(like, str(_value(item, "name")))
        ]
        yield from alike[-1:]
    if not isinstance(node, yaml.ScalarNode):
        for child in children:
            yield from _last_alike(child, like)


def _is_map(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode)


def _value(node: yaml.MappingNode, key: str) -> object:
    return next((value.value for name, value in node.value if name.value == key), None)


def _root(text: str) -> yaml.Node:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as exc:
        raise NoPlace(f"YAML that can be read: {str(exc).splitlines()[0]}") from None
    if node is None:
        raise NoPlace("anything in the document")
    return node


def _at(node: yaml.Node, path: tuple[str, ...]) -> yaml.Node:
    for depth, key in enumerate(path, start=1):
        found = [v for k, v in node.value if k.value == key] if _is_map(node) else []
        if len(found) != 1:
            raise NoPlace(f"key {'.'.join(path[:depth])} that is there exactly once")
        node = found[0]
    return node


def _insert(text: str, node: yaml.Node, block: str) -> str:
    lines = text.splitlines(keepends=True)
    line = _end_line(text, node)
    if line == len(lines) and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines[:line], block, *lines[line:]])


def _end_line(text: str, node: yaml.Node) -> int:
    """How many lines there are up to the end of a block node.

    Its mark is where the next thing starts: empty lines, and comments that stand as far left as
    what contains the node, are not its own.
    """
    lines = text.splitlines()
    line = node.end_mark.line
    outside = max(node.start_mark.column - 1, 0)
    while line > node.start_mark.line:
        last = lines[line - 1]
        indent = len(last) - len(last.lstrip())
        if last.strip() and not (last.lstrip().startswith("#") and indent <= outside):
            break
        line -= 1
    return line
