"""What the pictures take from the default service: defaults, constants, the chain's order."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.rendering import rendered

SETTINGS = "settings.py"
OPTIONS = "runtime/outbound/options.py"


def default(file: str, group: str, name: str) -> Any:
    """Of one setting: the value itself, or the first argument of its `Field`.

    Raises:
        LookupError: there is no such setting any more.
    """
    for node in _tree(file).body:
        if isinstance(node, ast.ClassDef) and node.name == group:
            return _assigned(node, name)
    raise LookupError(f"{file} has no {group}")


def constant(file: str, name: str) -> Any:
    """The value of a module's constant.

    Raises:
        LookupError: there is none any more.
    """
    return _assigned(_tree(file), name)


def ordinary_rate() -> float:
    """Of the log, outside of development: the settings say it where they fill it in."""
    for node in ast.walk(_tree(SETTINGS)):
        if (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "derived['sample_rate']"
        ):
            assert isinstance(node.value, ast.IfExp)
            return float(ast.literal_eval(node.value.orelse))
    raise LookupError("settings.py fills in no sample_rate")


def chain() -> list[str]:
    """The classes of the layers, outermost first."""
    for node in _tree("runtime/http/chain.py").body:
        if isinstance(node, ast.FunctionDef) and node.name == "layers":
            given = {one.arg: one.annotation for one in node.args.kwonlyargs}
            (returned,) = (one.value for one in node.body if isinstance(one, ast.Return))
            assert isinstance(returned, ast.List)
            return [_class(element, given) for element in returned.elts]
    raise LookupError("chain.py has no layers")


def termination_grace() -> float:
    """Seconds between SIGTERM and SIGKILL in the Deployment."""
    file = rendered().joinpath("deploy", "kustomize", "base", "deployment.yaml")
    pod = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]["template"]["spec"]
    return float(pod["terminationGracePeriodSeconds"])


@cache
def _tree(file: str) -> ast.Module:
    path: Path = rendered().joinpath("src", "orders", file)
    return ast.parse(path.read_text(encoding="utf-8"))


def _assigned(scope: ast.Module | ast.ClassDef, name: str) -> Any:
    for node in scope.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(one, ast.Name) and one.id == name for one in targets):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            value = node.value
            if isinstance(value, ast.Call):  # Field(default, bounds...)
                value = value.args[0]
            assert value is not None
            return ast.literal_eval(value)
    raise LookupError(f"there is no {name}")


def _class(layer: ast.expr, given: dict[str, ast.expr | None]) -> str:
    """`Layer` itself, `partial(Layer, ...)`, or of an argument the `Layer` in `partial[Layer]`."""
    if isinstance(layer, ast.Call):
        layer = layer.args[0]
    assert isinstance(layer, ast.Name)
    annotation = given.get(layer.id)
    if isinstance(annotation, ast.Subscript):
        assert isinstance(annotation.slice, ast.Name)
        return annotation.slice.id
    return layer.id
