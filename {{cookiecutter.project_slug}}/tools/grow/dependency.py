"""A new dependency: settings, gateway, sandbox, wiring, its address in the manifests, tests."""

from pathlib import Path

from ..package import PACKAGE, ROOT
from . import python_edits as python
from . import yaml_edits
from .names import checked, title, words
from .refusal import Refusal
from .service import APP, SETTINGS, Growth

ADDRESS = r"APP_DEPENDENCIES__\w+__URL"


def dependency(given: str, root: Path = ROOT) -> Growth:
    """What to write for it. Raises `Refusal`."""
    name = checked(given)
    growth = Growth(root, name=name, NAME=name.upper(), Name=title(name), words=words(name))
    _settings(growth, name)
    _wiring(growth, name)
    _manifests(growth, name)
    gateways = f"src/{PACKAGE}/gateways"
    growth.new(f"{gateways}/{name}.py", growth.text("dependency/gateway.py"))
    growth.new(f"{gateways}/{name}_sandbox.py", growth.text("dependency/sandbox.py"))
    test = f"tests/integration/test_{name}_dependency.py"
    growth.new(test, growth.text("dependency/test.py"))
    return growth


def names(growth: Growth) -> set[str]:
    """Those that the service has."""
    with growth.edit(SETTINGS) as file:
        return python.class_names(file.text, "Dependencies")


def _settings(growth: Growth, name: str) -> None:
    field = f"{name}: Dependency = Dependency()"
    with growth.edit(SETTINGS, f"in the class Dependencies: {field}") as file:
        if name in python.class_names(file.text, "Dependencies"):
            raise Refusal(f"NAME={name}: the class Dependencies in {SETTINGS} has it already")
        file.text = python.with_field(file.text, "Dependencies", field)


def _wiring(growth: Growth, name: str) -> None:
    sandbox = f"{name}_sandbox"
    entry = f'"{name}": {sandbox}()'
    by_hand = f"in the sandboxes of open_dependencies: {entry}"
    with growth.edit(APP, by_hand) as file:
        if sandbox in python.top_names(file.text):
            raise Refusal(f"NAME={name}: {APP} calls something else {sandbox}")
        file.text = python.with_entry(file.text, "open_dependencies", "sandboxes", entry)
        file.text = python.with_import(file.text, f".gateways.{sandbox}", sandbox)


def _manifests(growth: Growth, name: str) -> None:
    """Beside the addresses of the others, in each overlay that has them."""
    variable = f"APP_DEPENDENCIES__{name.upper()}__URL"
    host = name.replace("_", "-")
    address = f"http://{host}.{host}.svc:8000"
    for path in sorted(growth.root.glob("deploy/kustomize/overlays/*/*.yaml")):
        where = str(path.relative_to(growth.root))
        if "APP_DEPENDENCIES__" not in path.read_text(encoding="utf-8"):
            continue
        with growth.edit(where, f"in each env: {variable} with the value {address}") as file:
            file.text = yaml_edits.with_variable(file.text, ADDRESS, variable, address)
