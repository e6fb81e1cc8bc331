"""What deploy/compliance.md names as evidence is there."""

import importlib
import re

import pytest
import yaml
from pydantic import BaseModel

from tools.package import PACKAGE, ROOT

TEXT = ROOT.joinpath("deploy", "compliance.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("|") and not line.startswith("|--")]
NAMES = sorted(set(re.findall(r"`([^`]+)`", TEXT)))
# What is no evidence but a word: a field of the records, a command of somebody else.
WORDS = {"request_id", "kubectl port-forward"}


def rules() -> set[str]:
    """The names of all rules."""
    found = set()
    for path in ROOT.glob("deploy/policies/rules/*.yaml"):
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for validation in one.get("spec", {}).get("validations", ()):
                found.add(validation["message"].partition(":")[0])
    return found


def is_setting(name: str) -> bool:
    """Whether the service has a setting of that variable."""
    model = importlib.import_module(f"{PACKAGE}.settings").Settings
    for step in name.removeprefix("APP_").lower().split("__"):
        if not isinstance(model, type) or not issubclass(model, BaseModel):
            return False
        if step not in model.model_fields:
            return False
        model = model.model_fields[step].annotation
    return True


@pytest.mark.parametrize("name", NAMES)
def test_what_is_named_exists(name: str) -> None:
    if name.startswith("make "):
        makefile = ROOT.joinpath("Makefile").read_text(encoding="utf-8")
        assert re.search(rf"^{name.split()[1]}:", makefile, re.MULTILINE)
    elif name.startswith("APP_"):
        assert is_setting(name)
    elif "/" in name or "." in name:
        assert ROOT.joinpath(name).exists()
    else:
        assert name in rules() | WORDS


def test_every_rule_is_evidence_of_something() -> None:
    assert rules() - set(NAMES) <= {"cpu", "ephemeral-storage", "no-subpath"}


def test_every_control_says_what_is_left_and_stands_once() -> None:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in ROWS]
    assert {len(row) for row in cells} == {4}
    controls = [row[0] for row in cells if row[0] not in ("control", "article", "control point")]
    assert len(set(controls)) == len(controls) > 30
    assert all(row[1] and row[2] for row in cells)
