"""Finds the headers that the code reads and writes, by how it does so."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from .modules import Site
from .source import Source, called, given, keywords

KINDS = (ast.Assign, ast.Call, ast.Compare, ast.Dict, ast.Subscript, ast.Tuple)
NAME = re.compile(r"[A-Za-z]+(-[A-Za-z0-9]+)*")
# What it makes is only read again by its own parser.
NOT_SENT = "runtime/http/forms.py"
# What code calls one header's name while it goes through all of them.
LOOPS = {"name", "k"}


class Header(NamedTuple):
    """One header that is read or written somewhere, in lower case; `about` is of the file."""

    name: str
    written: bool
    value: str
    where: str
    about: str


def headers(of: Source) -> Iterator[Header]:
    """Each header, where it is read or written."""
    for site, node in of.sites(ast.AST):
        if not isinstance(node, KINDS):
            continue
        where, about = site.module.path, site.module.summary.split(". ")[0].rstrip(".")
        for name in _read(of, site, node):
            yield Header(name.lower(), False, "", where, about)
        for name, value in _written(node) if where != NOT_SENT else ():
            yield Header(name.lower(), True, of.text(site, value) or "", where, about)


def pair(node: ast.Tuple) -> str:
    """The name in `(b"name", value)`, as ASGI has headers; else nothing."""
    match node:
        case ast.Tuple([ast.Constant(bytes(name)), _], ast.Load()) if name.islower():
            return name.decode() if NAME.fullmatch(name.decode()) else ""
    return ""


def _read(of: Source, site: Site, node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(ast.Attribute(owner, "get" | "getlist"), [ast.Constant(str(name)), *_]):
            if called(owner) == "headers":
                yield name
        case ast.Call(ast.Name("_header"), [_, ast.Constant(bytes(name))]):
            yield name.decode()
        case ast.Subscript(owner, ast.Constant(str(name)), ast.Load()):
            if called(owner) in ("headers", "Headers"):
                yield name
        case ast.Compare(ast.Name(loop), [ast.Eq()], [ast.Constant(bytes(name))]):
            if loop in LOOPS:
                yield name.decode()
        case ast.Compare(ast.Name(loop), [ast.In()], [ast.Name(table)]):
            for value in given(site, table) if loop in LOOPS else ():
                yield from _names(value)
        case ast.Compare(ast.Subscript(), [ast.In()], [ast.Name(table)]):
            if found := of.definition(site.module, table):
                yield from _names(found[1])


def _names(node: ast.AST) -> Iterator[str]:
    """The names in a set or in the keys of a dictionary."""
    inner = node.args[0] if isinstance(node, ast.Call) and node.args else node
    keys = inner.keys if isinstance(inner, ast.Dict) else getattr(inner, "elts", ())
    for key in keys:
        if isinstance(key, ast.Constant) and isinstance(key.value, bytes):
            yield key.value.decode()


def _written(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Tuple([_, value]):
            if name := pair(node):
                yield name, value
        case ast.Call():
            given_ = keywords(node).get("headers")
            if isinstance(given_, ast.Dict) and called(node) != "encode":  # of a token
                yield from _items(given_)
        case ast.Dict():
            names = [name for name, _ in _items(node)]
            known = any("-" in name and not name.startswith("x-") for name in names)
            if known and all(map(NAME.fullmatch, names)):
                yield from _items(node)
        case ast.Assign([ast.Subscript(owner, ast.Constant(str(name)))], value):
            if called(owner) == "headers":
                yield name, value


def _items(node: ast.Dict) -> Iterator[tuple[str, ast.expr]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, value
