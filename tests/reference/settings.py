"""The page of all settings: the tree of `settings.py` and of what it is made of."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .fields import cells, fields, model_of, model_table
from .markdown import code, page, prose, summary, table
from .modules import Module, Site
from .source import Source, called
from .variants import gathered, source

ROOT = "Settings"
CENTRES = "runtime/config/centres.py"
OTHERS = re.compile("OTEL_[A-Z_]+")
# What a list or map holds has a table of its own.
PARTS = ("Fault", "Flag")


class Line(NamedTuple):
    """One line of a section: a setting, or why a value is refused."""

    group: tuple[str, ...]
    about: str
    cells: tuple[str, ...]
    refusal: str


def text() -> str:
    """The page."""
    tree = source().modules["settings.py"].tree
    lines = gathered(
        lambda of: _lines(of, *model_of(of, of.modules["settings.py"], ROOT), (), hot=False)
    )
    groups = dict.fromkeys(line.group for line, _ in lines)
    return page(
        "Settings",
        *map(prose, (ast.get_docstring(tree) or "").split("\n\n")),
        *(_section(group, [(a, b) for a, b in lines if a.group == group]) for group in groups),
        _centres(),
        _others(),
        *(_part(name) for name in PARTS),
    )


def _section(group: tuple[str, ...], lines: list[tuple[Line, str]]) -> str:
    rows = [(*line.cells, needs) for line, needs in lines if line.cells]
    columns = ("Variable", "Type and bounds", "Default", "Changes", "What", "With")
    parts = [f"## {code('.'.join(group)) or 'At the root'}", lines[0][0].about]
    parts += [table(columns, rows)] if rows else []
    refusals = [f"- {line.refusal}" for line, _ in lines if line.refusal]
    parts += ["Refused:", "\n".join(refusals)] if refusals else []
    return "\n\n".join(part.strip() for part in parts if part)


def _centres() -> str:
    rows = [(code(f"{scheme}://"), needs) for scheme, needs in gathered(_schemes)]
    about = prose(source().modules[CENTRES].summary)
    return f"## {code('APP_CONFIG__SOURCE')}\n\n{about}\n\n{table(('Scheme', 'With'), rows)}"


def _schemes(of: Source) -> Iterator[str]:
    found = of.definition(of.modules[CENTRES], "CENTRES")
    for key in found[1].keys if found and isinstance(found[1], ast.Dict) else ():
        yield str(ast.literal_eval(key or ast.Constant("")))


def _others() -> str:
    """What is OpenTelemetry's to name."""
    found = {
        (code(node.value), code(site.module.path), prose(site.module.summary))
        for site, node in source().sites(ast.Constant)
        if isinstance(node.value, str) and OTHERS.fullmatch(node.value)
    }
    columns = ("Variable", "Read in", "What is done there")
    return f"## {code('OTEL_')}\n\n{table(columns, sorted(found))}"


def _part(name: str) -> str:
    there = source()
    [(module, model)] = [
        (module, node)
        for module in there.modules.values()
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    refusals = [f"- {one}" for one in _refusals(there, module, model)]
    parts = [f"## A {code(name)}", summary(ast.get_docstring(model))]
    parts += [model_table(there, module, model), "Refused:", "\n".join(refusals)]
    return "\n\n".join(part.strip() for part in parts)


def _lines(
    of: Source, module: Module, model: ast.ClassDef, group: tuple[str, ...], *, hot: bool
) -> Iterator[Line]:
    about = summary(ast.get_docstring(model))
    branches: list[tuple[str, tuple[Module, ast.ClassDef], bool]] = []
    for one in fields(of, module, model):
        warm = hot or one.kind.hot
        if one.kind.model is not None:
            branches.append((one.name, one.kind.model, warm))
            continue
        type_, default, what = cells(one)
        variable = code("APP_" + "__".join((*group, one.name)).upper())
        when = "while it runs" if warm else "at a restart"
        yield Line(group, about, (variable, type_, default, when, what), "")
    for refusal in _refusals(of, module, model):
        yield Line(group, about, (), refusal)
    for name, branch, warm in branches:
        yield from _lines(of, *branch, (*group, name), hot=warm)


def _refusals(of: Source, module: Module, model: ast.ClassDef) -> Iterable[str]:
    """What its validators and its `unsafe` say, in the order of the code."""
    found: dict[str, None] = {}
    for method in model.body:
        for node in ast.walk(method) if isinstance(method, ast.FunctionDef) else ():
            said: ast.expr | None = None
            if isinstance(node, ast.Yield):
                said = node.value
            elif isinstance(node, ast.Call) and called(node) == "ValueError":
                said = node.args[0]
            text = of.text(Site(module, node, (model, method)), said)
            if text:
                found[prose(text)] = None
    return found
