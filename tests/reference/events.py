"""Finds the log calls of a service: what they say, how loudly, with which fields."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from .modules import Site
from .source import Source, called, given, keywords

LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
LOUD = {"exception": "error"}
# The machinery that passes on what others say.
PASSING = "runtime/observability/logs.py"
AUDIT = "runtime/ops/audit.py"
MORE = "..."  # fields that are only known when the record is written


class Event(NamedTuple):
    """One kind of record."""

    event: str
    level: str
    logger: str
    fields: tuple[str, ...]
    where: str


def events(of: Source) -> Iterator[Event]:
    """Every kind of record that the service itself writes.

    Raises:
        ValueError: a log call cannot be read off the code.
    """
    # What operators do is written by one call, on behalf of all that `record` it.
    [(audit, told)] = [
        (site, node) for site, node in of.sites(ast.Call, AUDIT) if called(node) in LEVELS
    ]
    for site, node in of.sites(ast.Call):
        where = site.module.path
        if called(node) == "record" or (where == AUDIT and called(node) == "_tell"):
            text = of.text(site, node.args[0])
            if text is not None:
                own = _keys(site, node.args[2]) if where == AUDIT else _fields(site, node)
                fields = (*keywords(told), *own)
                yield Event(text, called(told), _logger(of, audit), fields, where)
        elif where not in (PASSING, AUDIT):
            for said, level in _said(of, site, node):
                text = of.text(site, said)
                if text is None:
                    raise ValueError(f"{where}:{node.lineno}: which event is this?")
                fields = tuple(_fields(site, node))
                yield Event(text, LOUD.get(level, level), _logger(of, site), fields, where)


def _said(of: Source, site: Site, node: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    """The text and the level, if this is a log call."""
    match node.func:
        case ast.Attribute(ast.Attribute(attr="_log") | ast.Name("log"), level):
            if level in LEVELS:
                yield node.args[0], level
            elif level == "emit":
                yield node.args[2], of.text(site, node.args[1]) or ""
        case ast.Attribute(ast.Call() as made, level):
            if called(made) == "get_logger" and level in LEVELS:
                yield node.args[0], level
        case ast.Name("write"):
            for value in given(site, "write"):
                if isinstance(value, ast.IfExp):
                    yield node.args[0], f"{called(value.body)} or {called(value.orelse)}"
        case ast.Call(ast.Name("getattr"), [ast.Name("log"), ast.Call() as level_of]):
            yield from _by_outcome(of, site, node.args[0], level_of)


def _by_outcome(
    of: Source, site: Site, texts: ast.expr, level_of: ast.Call
) -> Iterator[tuple[ast.expr, str]]:
    """`getattr(log, LEVELS.get(outcome, other))(texts[outcome], ...)`."""
    assert isinstance(texts, ast.Subscript)
    assert isinstance(level_of.func, ast.Attribute)
    levels = of.definition(site.module, called(level_of.func.value))
    assert levels is not None
    assert isinstance(levels[1], ast.Dict)
    known = ast.literal_eval(levels[1])
    for value in given(site, called(texts.value)):
        assert isinstance(value, ast.Dict)
        for key, text in zip(value.keys, value.values, strict=True):
            outcome = ast.literal_eval(key or text)
            yield text, known.get(outcome, ast.literal_eval(level_of.args[1]))


def _fields(site: Site, node: ast.Call) -> Iterator[str]:
    for one in node.keywords:
        if one.arg is None:
            yield from _keys(site, one.value)
        elif one.arg != "exc_info":
            yield one.arg
    if called(node) == "emit":
        yield from _keys(site, node.args[3])
    if called(node) == "exception" or "exc_info" in keywords(node):
        yield "exception"


def _keys(site: Site, node: ast.expr) -> Iterator[str]:
    """Of a local dictionary that is spread out; also of one inside of a call."""
    inner = node.args[0] if isinstance(node, ast.Call) and node.args else node
    found: list[str] = []
    for value in given(site, called(inner)) if isinstance(inner, ast.Name) else ():
        if isinstance(value, ast.Dict):
            found += [ast.literal_eval(key) for key in value.keys if key is not None]
        found += _added(site, called(inner))
    yield from dict.fromkeys(found) or [MORE]


def _added(site: Site, name: str) -> Iterator[str]:
    for function in site.functions():
        for one in ast.walk(function):
            match one:
                case ast.Subscript(ast.Name(id), ast.Constant(str(key)), ast.Store()):
                    if id == name:
                        yield key


def _logger(of: Source, site: Site) -> str:
    """The name that the logger was bound with, in the function or in the class."""
    for around in reversed(site.around):
        for node in ast.walk(around):
            if isinstance(node, ast.Call) and called(node) == "bind" and "logger" in keywords(node):
                return of.text(Site(site.module, node, site.around), keywords(node)["logger"]) or ""
    return ""
