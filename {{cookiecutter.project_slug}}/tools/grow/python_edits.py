"""Edits of Python modules at places that their syntax tree gives; all other text stays.

Each takes a module's text and returns it edited. Raises `NoPlace` where the place for the edit is
not there, or there more than once.
"""

import ast
import re
from collections.abc import Callable
from typing import TypeVar

Node = TypeVar("Node", bound=ast.AST)


class NoPlace(Exception):
    """What was looked for; the message follows 'found no' in a sentence."""


def only(found: list[Node], what: str) -> Node:
    """The one that there is."""
    if len(found) != 1:
        raise NoPlace(f"{what} that is there exactly once")
    return found[0]


def call(text: str, function: str) -> ast.Call:
    """The call of a function by its bare name."""
    found = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == function
    ]
    return only(found, f"call of {function}()")


def assigned_name(text: str, function: str) -> str:
    """The name that a function's result is given."""
    wanted = call(text, function)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value.value if isinstance(node.value, ast.Await) else node.value
            if (value.lineno, value.col_offset) == (wanted.lineno, wanted.col_offset):
                return node.targets[0].id
    raise NoPlace(f"name for the result of {function}()")


def top_names(text: str) -> set[str]:
    """What a module's own level calls something, imports included."""
    names: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def class_names(text: str, name: str) -> set[str]:
    """The fields and methods of a class."""
    names: set[str] = set()
    for node in _class(text, name).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def with_import(text: str, module: str, *names: str) -> str:
    """`from module import names`, at its place in the order; dots for a relative one."""
    tree = ast.parse(text)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    if not imports:
        raise NoPlace("line with `from ... import`")
    for node in imports:
        if _module(node) == module and not any(alias.asname for alias in node.names):
            there = {alias.name for alias in node.names}
            if there >= set(names):
                return text
            listed = ", ".join(sorted(there | set(names), key=_order))
            return _replaced(text, node, f"from {module} import {listed}")
    line = f"from {module} import {', '.join(sorted(names))}\n"
    later = [node for node in imports if node.level == _level(module) and _module(node) > module]
    if later:
        return _at_line(text, later[0].lineno - 1, line)
    return _at_line(text, imports[-1].end_lineno or 0, line)


def with_field(text: str, name: str, line: str) -> str:
    """A class with one more field, after those that it has."""
    fields = [node for node in _class(text, name).body if isinstance(node, ast.AnnAssign)]
    if not fields:
        raise NoPlace(f"field in the class {name}")
    last = fields[-1]
    return _at_line(text, last.end_lineno or 0, f"{' ' * last.col_offset}{line}\n")


def with_argument(text: str, function: str, argument: str, *, like: str) -> str:
    """A call with one more keyword argument, after those whose values call something `...like`."""
    node = call(text, function)
    alike = [
        keyword
        for keyword in node.keywords
        if keyword.arg
        and isinstance(keyword.value, ast.Call)
        and isinstance(keyword.value.func, ast.Name)
        and keyword.value.func.id.endswith(like)
    ]
    if not alike:
        raise NoPlace(f"argument {like} of {function}()")
    return _after(text, alike[-1].value, argument)


def with_entry(text: str, function: str, keyword: str, entry: str) -> str:
    """A call whose argument is a dictionary, with one more entry in it."""
    found = [one.value for one in call(text, function).keywords if one.arg == keyword]
    value = only(found, f"argument {keyword} of {function}()")
    if not isinstance(value, ast.Dict):
        raise NoPlace(f"dictionary as {keyword} of {function}()")
    if not value.values:
        return _replaced(text, value, "{" + entry + "}")
    return _after(text, value.values[-1], entry)


def with_attribute(text: str, name: str, argument: str, line: str) -> str:
    """A class that sets one more attribute, after those made from `self.argument`."""
    found = [
        node
        for node in ast.walk(_class(text, name))
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and [ast.unparse(one) for one in node.value.args] == [f"self.{argument}"]
    ]
    if not found:
        raise NoPlace(f"attribute in the class {name} that is made from self.{argument}")
    return _at_line(text, found[-1].end_lineno or 0, f"{' ' * found[-1].col_offset}{line}\n")


def constant(text: str, name: str) -> tuple[str, Callable[[str], str]]:
    """The text that a module's constant is, and how to make it another."""
    found = [
        node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        and [ast.unparse(target) for target in node.targets] == [name]
        and isinstance(node.value, ast.Constant)
    ]
    value = only(found, f"constant {name}")
    return str(value.value), lambda new: _replaced(text, value, f'"{new}"')


def _class(text: str, name: str) -> ast.ClassDef:
    found = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    return only(found, f"class {name}")


def _module(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def _level(module: str) -> int:
    return len(module) - len(module.lstrip("."))


def _order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, as ruff sorts them."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name


def _lines(text: str) -> list[str]:
    """With their ends; only what Python takes for an end of a line is one."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _at_line(text: str, line: int, new: str) -> str:
    """New lines after so many of the text's."""
    lines = _lines(text)
    return "".join([*lines[:line], new, *lines[line:]])


def _after(text: str, node: ast.expr, new: str) -> str:
    """One more argument or entry after `node`: on a line of its own where `node` ends its line."""
    _, end = _span(text, node)
    line = _lines(text)[node.lineno - 1]
    rest = text[end:].partition("\n")[0]
    if re.fullmatch(r"\s*,\s*(#.*)?", rest):
        indent = line[: len(line) - len(line.lstrip())]
        return _at_line(text, node.end_lineno or 0, f"{indent}{new},\n")
    return f"{text[:end]}, {new}{text[end:]}"


def _replaced(text: str, node: ast.expr | ast.stmt, new: str) -> str:
    start, end = _span(text, node)
    return text[:start] + new + text[end:]


def _span(text: str, node: ast.expr | ast.stmt) -> tuple[int, int]:
    """Where a node stands in the text; the tree counts bytes of each line."""
    lines = _lines(text)

    def position(line: int, column: int) -> int:
        within = lines[line - 1].encode()[:column].decode()
        return sum(map(len, lines[: line - 1])) + len(within)

    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return (
        position(node.lineno, node.col_offset),
        position(node.end_lineno, node.end_col_offset),
    )
