"""The page of commands: make's targets and the service's command line."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.rendering import ROOT

from .markdown import code, page, prose, summary, table
from .modules import Module
from .source import Source, called, keywords
from .variants import gathered, source

TARGET = re.compile(r"^([a-z]+):.*## (.*)$", re.MULTILINE)
PACKAGE = "python -m <package>"


class Command(NamedTuple):
    """One command; options with their type, default and help."""

    name: str
    about: str
    options: tuple[tuple[str, str, str, str], ...]


def text() -> str:
    """The page."""
    makefile = prose(_comment(ROOT))
    of_service = [
        (f"`make {name}`", prose(about), needs)
        for (name, about), needs in gathered(lambda of: targets(of.service))
    ]
    commands = gathered(commands_of)
    return page(
        "Commands",
        "## Of the template",
        makefile,
        table(("Command", "What it does"), [(f"`make {a}`", prose(b)) for a, b in targets(ROOT)]),
        "## Of a service",
        prose(_comment(source().service)),
        table(("Command", "What it does", "With"), of_service),
        "## The service's command line",
        prose(source().modules["__main__.py"].summary),
        table(
            ("Command", "What it does", "With"),
            [(_called(one), one.about, needs) for one, needs in commands],
        ),
        *(_options(one) for one, _ in commands if one.options),
    )


def targets(folder: Path) -> list[tuple[str, str]]:
    """Name and help of each target of a Makefile."""
    return TARGET.findall(folder.joinpath("Makefile").read_text(encoding="utf-8"))


def _comment(folder: Path) -> str:
    """The Makefile's first line."""
    with folder.joinpath("Makefile").open(encoding="utf-8") as lines:
        return next(lines).lstrip("# ").rstrip()


def _called(one: Command) -> str:
    return code(f"{PACKAGE} {one.name}")


def _options(one: Command) -> str:
    rows = [
        (code(name), type_, default, prose(about)) for name, type_, default, about in one.options
    ]
    return f"### {code(one.name)}\n\n" + table(("Option", "Type", "Default", "What"), rows)


def commands_of(of: Source) -> Iterator[Command]:
    """Every command that Typer is given."""
    below = {}
    for _, call in of.sites(ast.Call):
        if called(call) == "add_typer":
            below[called(call.args[0])] = f"{ast.literal_eval(keywords(call)['name'])} "
    for site, node in of.sites(ast.FunctionDef):
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and called(decorator) == "command":
                assert isinstance(decorator.func, ast.Attribute)
                name = below.get(called(decorator.func.value), "") + node.name.replace("_", "-")
                about = summary(ast.get_docstring(node))
                yield Command(name, about, tuple(_arguments(of, site.module, node)))


def _arguments(
    of: Source, module: Module, node: ast.FunctionDef
) -> Iterator[tuple[str, str, str, str]]:
    arguments = node.args.args
    defaults = [None] * (len(arguments) - len(node.args.defaults)) + node.args.defaults
    for argument, default in zip(arguments, defaults, strict=True):
        annotation = argument.annotation
        found = of.definition(module, called(annotation)) if annotation is not None else None
        whole = found[1] if found else annotation
        assert isinstance(whole, ast.Subscript)
        assert isinstance(whole.slice, ast.Tuple)
        type_, option = whole.slice.elts
        assert isinstance(option, ast.Call)
        named = [ast.literal_eval(one) for one in option.args]
        name = named[0] if named else f"--{argument.arg.strip('_').replace('_', '-')}"
        about = ast.literal_eval(keywords(option)["help"])
        yield name, _type(type_), _default(default), about


def _type(node: ast.expr) -> str:
    if isinstance(node, ast.BinOp):
        return _type(node.left)
    if isinstance(node, ast.Subscript) and called(node.value) == "Literal":
        assert isinstance(node.slice, ast.Tuple)
        return ", ".join(code(ast.literal_eval(one)) for one in node.slice.elts)
    return code(ast.unparse(node))


def _default(node: ast.expr | None) -> str:
    value = ast.literal_eval(node) if node is not None else None
    return "" if value is None or value is False else code(str(value))
