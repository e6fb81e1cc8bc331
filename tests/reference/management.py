"""The page of the management port: every path, and what its commands take."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from .fields import model_of, model_table
from .markdown import code, page, prose, summary, table
from .modules import Function, Site
from .source import Source, called, given, keywords
from .variants import gathered, source

HOME = "runtime/ops/management.py"
FOLDER = "runtime/ops/"


class Endpoint(NamedTuple):
    """A method of a path; `body` is the model of what it takes."""

    path: str
    method: str
    token: bool
    body: str
    about: str
    where: str


def text() -> str:
    """The page."""
    there = source()
    found = sorted(gathered(endpoints))
    rows = [
        (
            code(one.path),
            one.method,
            "yes" if one.token else "",
            code(one.body),
            prose(one.about),
            code(one.where),
            needs,
        )
        for one, needs in found
    ]
    columns = ("Path", "Method", "Needs the token", "Body", "What", "Made in", "With")
    bodies = sorted({(one.body, one.where) for one, _ in found if one.body})
    return page(
        "Management port",
        *map(prose, (ast.get_docstring(there.modules[HOME].tree) or "").split("\n\n")),
        table(columns, rows),
        "## Bodies",
        *(_body(there, name, where) for name, where in bodies),
    )


def endpoints(of: Source) -> Iterator[Endpoint]:
    """Every method of every path.

    Raises:
        ValueError: one has a path that cannot be read off the code.
    """
    documents = set()
    for site, node in of.sites(ast.Call, FOLDER):
        if called(node) == "Document":
            name, about = (of.text(site, one) or "" for one in node.args[:2])
            documents.add(name)
            yield Endpoint(name, "GET", False, "", about, site.module.path)
    for site, node in of.sites(ast.Call, FOLDER):
        if called(node) == "resource":
            for method, handler in keywords(node).items():
                if isinstance(handler, ast.Name):  # the others show a document
                    yield _endpoint(of, site, node.args[0], method, handler)
        elif called(node) == "Route" and isinstance(path := node.args[0], ast.Constant):
            if path.value in documents:
                continue
            yield _endpoint(of, site, path, "GET", node.args[1])


def _endpoint(of: Source, site: Site, path: ast.expr, method: str, handler: ast.expr) -> Endpoint:
    text = of.text(site, path)
    if text is None:  # `document.path`
        [document] = given(site, called(getattr(path, "value", path)))
        assert isinstance(document, ast.Call)
        text = of.text(site, document.args[0])
    if text is None:
        raise ValueError(f"{site.module.path}:{path.lineno}: which path is this?")
    function = _handler(site, called(handler))
    calls = [one for one in ast.walk(function) if isinstance(one, ast.Call)]
    token = any(ast.unparse(one.func) == "access.check" for one in calls)
    bodies = [called(one.args[1]) for one in calls if called(one) == "command"]
    about = _about(site, text)
    return Endpoint(text, method, token, "".join(bodies), about, site.module.path)


def _about(site: Site, path: str) -> str:
    """The docstring that names the path, of a function around it or of the file."""
    for around in site.functions():
        said = summary(ast.get_docstring(around))
        if f"`{path}`" in said:
            return said
    return "" if site.module.path == HOME else site.module.summary


def _handler(site: Site, name: str) -> Function:
    for around in site.functions():
        for node in around.body:
            if isinstance(node, Function) and node.name == name:
                return node
    raise ValueError(f"{site.module.path}: there is no {name}")


def _body(of: Source, name: str, where: str) -> str:
    module, model = model_of(of, of.modules[where], name)
    about = summary(ast.get_docstring(model))
    return f"### {code(name)}\n\n{about}\n\n{model_table(of, module, model)}"
