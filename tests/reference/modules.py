"""Files as syntax trees with their comments; nothing of them is imported or run."""

import ast
import functools
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef
NOQA = re.compile(r"^(noqa: \w+( - |$)|type: ignore\S*\s*)")


@dataclass(frozen=True, eq=False)
class Module:
    """One file. `path` is below the package; comments are by line, own lines apart."""

    path: str
    tree: ast.Module
    trailing: Mapping[int, str]
    above: Mapping[int, str]

    @property
    def summary(self) -> str:
        """The first paragraph of its docstring."""
        return " ".join((ast.get_docstring(self.tree) or "").split("\n\n")[0].split())


@dataclass(frozen=True)
class Site:
    """A node, and the definitions around it, the innermost last."""

    module: Module
    node: ast.AST
    around: tuple[ast.AST, ...]

    def functions(self) -> Iterator[Function]:
        """Those around it, the innermost first."""
        return (one for one in reversed(self.around) if isinstance(one, Function))


def remarks(module: Module, node: ast.stmt) -> str:
    """The comments right above a statement and on its lines."""
    found: list[str] = []
    line = node.lineno - 1
    while line in module.above:
        found.insert(0, module.above[line])
        line -= 1
    last = node.end_lineno or node.lineno
    found += [module.trailing[at] for at in range(node.lineno, last + 1) if at in module.trailing]
    return " ".join(filter(None, found))


@functools.cache  # most files are the same in all services
def parsed(name: str, text: str) -> Module:
    """The module of this text."""
    above: dict[int, str] = {}
    trailing: dict[int, str] = {}
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            own = not lines[line - 1][:column].strip()
            (above if own else trailing)[line] = NOQA.sub("", token.string[1:].strip())
    return Module(name, ast.parse(text), trailing, above)


@functools.cache
def sites(module: Module) -> tuple[Site, ...]:
    """Every node of a module, in the order of the text."""
    found: list[Site] = []
    left: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(module.tree, ())]
    while left:
        node, around = left.pop()
        found.append(Site(module, node, around))
        if isinstance(node, ast.ClassDef | Function):
            around = (*around, node)
        left += [(child, around) for child in reversed(list(ast.iter_child_nodes(node)))]
    return tuple(found)
