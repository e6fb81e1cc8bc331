"""A rendered service's package: what names stand for, and texts that are read off the code."""

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TypeVar

from .modules import Function, Module, Site, parsed, sites

N = TypeVar("N", bound=ast.AST)


class Source:
    """All modules of a package."""

    def __init__(self, service: Path) -> None:
        [main] = service.glob("src/*/__main__.py")
        package = main.parent
        self.service = service
        self.modules = {
            name: parsed(name, path.read_text(encoding="utf-8"))
            for path in sorted(package.rglob("*.py"))
            for name in [str(PurePosixPath(path.relative_to(package)))]
        }

    def sites(self, kind: type[N], below: str = "") -> Iterator[tuple[Site, N]]:
        """Every node of a kind in the modules below a folder, in the order of the files."""
        for path, module in self.modules.items():
            if path.startswith(below):
                for site in sites(module):
                    if isinstance(site.node, kind):
                        yield site, site.node

    def definition(self, module: Module, name: str) -> tuple[Module, ast.AST] | None:
        """What a name of a module stands for, through its imports; None for other packages'."""
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef | Function) and node.name == name:
                return module, node
            if isinstance(node, ast.Assign | ast.AnnAssign) and name in _targets(node):
                return (module, node.value) if node.value is not None else None
        for node in module.tree.body:
            if isinstance(node, ast.ImportFrom) and node.level:
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        found = self._imported(module, node)
                        return self.definition(found, alias.name) if found else None
        return None

    def text(self, site: Site, node: ast.AST | None) -> str | None:
        """A text that can be read off the code; what is only known later is `<so>` in it."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            return node.value.decode() if isinstance(node.value, bytes) else node.value
        if isinstance(node, ast.BoolOp):  # `or` with what stands in for nothing
            return self.text(site, node.values[-1])
        if isinstance(node, ast.JoinedStr):
            return "".join(
                str(part.value) if isinstance(part, ast.Constant) else self._part(site, part)
                for part in node.values
            )
        if isinstance(node, ast.Name):
            for local in given(site, node.id):
                return self.text(site, local)
            found = self.definition(site.module, node.id)
            return self.text(Site(found[0], found[1], ()), found[1]) if found else None
        return None

    def _part(self, site: Site, part: ast.expr) -> str:
        value = part.value if isinstance(part, ast.FormattedValue) else part
        known = self.text(site, value) if isinstance(value, ast.Name) else None
        return f"<{_later(value)}>" if known is None else known

    def _imported(self, module: Module, node: ast.ImportFrom) -> Module | None:
        folder = PurePosixPath(module.path).parents[node.level - 1]
        return self.modules.get(f"{folder.joinpath(*(node.module or '').split('.'))}.py")


def called(node: ast.AST) -> str:
    """The last part of the name of what is called: `gauge` of `metrics.gauge(...)`."""
    function = node.func if isinstance(node, ast.Call) else node
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    """The arguments that have a name."""
    return {one.arg: one.value for one in call.keywords if one.arg}


def is_argument(site: Site, node: ast.AST) -> bool:
    """Whether this is what a function around it is given: its callers say what it is."""
    return isinstance(node, ast.Name) and any(
        node.id == one.arg for function in site.functions() for one in function.args.args
    )


def given(site: Site, name: str) -> list[ast.expr]:
    """What a local name was last given above; nothing where it is none."""
    line = getattr(site.node, "lineno", 0)
    for function in site.functions():
        found = [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and node.value is not None
            and name in _targets(node)
            and node.lineno < line
        ]
        if found:
            return found[-1:]
    return []


def _targets(node: ast.AST) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [one.id for one in targets if isinstance(one, ast.Name)]


def _later(value: ast.expr) -> str:
    names = [
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(value)
        if isinstance(node, ast.Name | ast.Attribute)
    ]
    methods = {"join", "upper", "capitalize", "strip"}
    return next((name.strip("_") for name in names if name not in methods), "...")
