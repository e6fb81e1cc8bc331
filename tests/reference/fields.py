"""The fields of the pydantic models that settings and commands are made of."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .kinds import Kind, bounds, kind_of, plain
from .markdown import code, prose, table
from .modules import Module, remarks
from .source import Source, called, keywords

UNITS = (("seconds", "seconds"), ("_bytes", "bytes"))


@dataclass(frozen=True)
class Field:
    """One field of a model."""

    name: str
    kind: Kind
    default: str
    text: str


def fields(source: Source, module: Module, model: ast.ClassDef) -> Iterator[Field]:
    """Those of the model, after those of the models below it."""
    for base in model.bases:
        found = source.definition(module, called(base))
        if found and isinstance(found[1], ast.ClassDef):
            yield from fields(source, found[0], found[1])
    for node in model.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, value = node.target.id, node.value
            kind = kind_of(source, module, node.annotation)
            if isinstance(value, ast.Call) and called(value) == "Field":
                kind = replace(kind, notes=(*kind.notes, *bounds(value)))
            unit = next((u for end, u in UNITS if name.endswith(end)), "")
            if unit and unit not in kind.notes:
                kind = replace(kind, notes=(unit, *kind.notes))
            yield Field(name, kind, _default(source, module, value), remarks(module, node))


def cells(one: Field) -> tuple[str, str, str]:
    """Of its line in a table: type, default, what it is."""
    return str(one.kind), one.default, prose(one.text)


def model_table(of: Source, module: Module, model: ast.ClassDef) -> str:
    """The fields of a model by their names, for what is written in JSON."""
    rows = [(code(one.name), *cells(one)) for one in fields(of, module, model)]
    return table(("Field", "Type and bounds", "Default", "What"), rows)


def model_of(of: Source, module: Module, name: str) -> tuple[Module, ast.ClassDef]:
    """The class that a name of a module stands for."""
    found = of.definition(module, name)
    assert found is not None
    assert isinstance(found[1], ast.ClassDef)
    return found[0], found[1]


def _default(source: Source, module: Module, node: ast.expr | None) -> str:
    """As it is written into a variable, as far as it can be."""
    if isinstance(node, ast.Call) and called(node) in ("Field", "SecretStr"):
        if not node.args:
            empty = keywords(node).get("default_factory")
            return "empty" if empty is not None else "required"
        return _default(source, module, node.args[0])
    if node is None:
        return "required"
    if isinstance(node, ast.Attribute) and (found := source.definition(module, called(node.value))):
        members = [one for one in ast.walk(found[1]) if isinstance(one, ast.Assign)]
        return next(code(plain(m.value)) for m in members if called(m.targets[0]) == node.attr)
    if isinstance(node, ast.Constant) and node.value is None:
        return "none"
    if isinstance(node, ast.Tuple | ast.Dict):
        value = ast.literal_eval(node)
        return code(json.dumps(value)) if value else "empty"
    return code(plain(node)) or "empty"
