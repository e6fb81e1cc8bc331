"""What the annotations of pydantic models say: types, units and bounds."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .markdown import code, codes
from .modules import Module
from .source import Source, called, keywords

BOUNDS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


@dataclass(frozen=True)
class Kind:
    """What an annotation says. `model` is the class of a branch, and None for a leaf."""

    text: str
    notes: tuple[str, ...] = ()
    hot: bool = False
    model: tuple[Module, ast.ClassDef] | None = None

    def __str__(self) -> str:
        return ", ".join([self.text, *self.notes]).replace(", or none", " or none")

    @property
    def inner(self) -> str:
        """The same inside of another one."""
        return f"{self.text} ({', '.join(self.notes)})" if self.notes else self.text


def kind_of(source: Source, module: Module, node: ast.expr) -> Kind:
    """The kind that an annotation names, aliases and all."""
    if isinstance(node, ast.BinOp):
        kind = kind_of(source, module, node.left)
        return replace(kind, notes=(*kind.notes, "or none"))
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _generic(source, module, called(node.value), inner)
    name = called(node)
    found = source.definition(module, name)
    if found is None:
        return Kind("secret `str`" if name == "SecretStr" else code(ast.unparse(node)))
    there, what = found
    if isinstance(what, ast.ClassDef):
        if any(called(base) == "StrEnum" for base in what.bases):
            values = [one.value for one in what.body if isinstance(one, ast.Assign)]
            return Kind(codes(plain(value) for value in values))
        return Kind(code(name), model=(there, what))
    assert isinstance(what, ast.expr)
    kind = kind_of(source, there, what)
    if name.startswith("Seconds"):
        return replace(kind, notes=("seconds", *kind.notes))
    checked = any(called(one) == "AfterValidator" for one in ast.walk(what))
    return replace(kind, notes=(code(name), *kind.notes)) if checked else kind


def _generic(source: Source, module: Module, name: str, inner: list[ast.expr]) -> Kind:
    if name == "Literal":
        return Kind(codes(plain(one) for one in inner))
    kinds = [kind_of(source, module, one) for one in inner if name != "Annotated"]
    if name == "Hot":
        return replace(kinds[0], hot=True)
    if name == "Annotated":
        notes = tuple(note for one in inner[1:] for note in bounds(one))
        kind = kind_of(source, module, inner[0])
        return replace(kind, notes=(*kind.notes, *notes))
    last = kinds[0] if name == "tuple" else kinds[1]
    start = "list of" if name == "tuple" else f"map of {kinds[0].inner} to"
    return Kind(f"{start} {last.inner}")


def bounds(node: ast.expr) -> Iterator[str]:
    """Those of a `Field(...)`."""
    if not isinstance(node, ast.Call):
        return
    for name, value in keywords(node).items():
        if name in BOUNDS:
            yield f"{BOUNDS[name]} {ast.unparse(value)}"
        elif name == "pattern":
            yield f"matches {code(plain(value))}"
        elif name == "max_length":
            yield f"at most {ast.unparse(value)} characters"


def plain(node: ast.expr) -> str:
    """A value as a variable takes it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return str(node.value).lower()
    return ast.unparse(node)
