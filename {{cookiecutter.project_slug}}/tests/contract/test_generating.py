"""Contracts with the hard features generate, hold, and type-check."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from .contracts import Json, generated, rendered
from .hard_operations import OPERATIONS
from .hard_schemas import SCHEMAS, VALUES, hard, meant


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the packages `schemas.contract` and `operations.contract` are generated."""
    folder = tmp_path_factory.mktemp("generated")
    assert generated(hard("3.1.0"), folder, "schemas") == []
    assert generated(OPERATIONS, folder, "operations") == []
    return folder


@pytest.fixture
def models(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(folder)
    yield importlib.import_module("schemas.contract.models")
    for name in [name for name in sys.modules if name.partition(".")[0] == "schemas"]:
        monkeypatch.delitem(sys.modules, name)


def written(folder: Path, package: str) -> dict[str, str]:
    files = (folder / package / "contract").glob("*.py")
    return {path.name: path.read_text(encoding="utf-8") for path in files}


def test_both_versions_of_openapi_generate_the_same(folder: Path, tmp_path: Path) -> None:
    assert rendered(hard("3.0.3"), tmp_path) == written(folder, "schemas")


def test_generating_again_gives_the_same(folder: Path, tmp_path: Path) -> None:
    assert rendered(OPERATIONS, tmp_path) == written(folder, "operations")


def test_generated_code_type_checks(folder: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent"]
    packages = [str(folder / package / "contract") for package in ("schemas", "operations")]
    done = subprocess.run(
        [*command, *packages],
        env=os.environ | {"MYPYPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def accepts(type_: TypeAdapter[Any], value: Any) -> bool:
    try:
        found = type_.validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)
    except ValidationError:
        return False
    assert type_.dump_json(found, by_alias=True, warnings="error")
    return True


def test_the_types_take_what_the_schemas_allow(models: ModuleType) -> None:
    shared: Json = {"components": meant()}
    for name in SCHEMAS:
        valid = Draft202012Validator(shared | {"$ref": f"#/components/schemas/{name}"}).is_valid
        type_: TypeAdapter[Any] = TypeAdapter(getattr(models, name))
        assert [value for value in VALUES if valid(value) != accepts(type_, value)] == [], name
