"""The bill of materials, as `make sbom` writes it."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools.package import ROOT


def _make_sbom(*arguments: str) -> bytes:
    # This environment is the one that `setup` makes.
    command = ["make", "--old-file", "setup", f"BIN={Path(sys.executable).parent}", "sbom"]
    subprocess.run([*command, *arguments], cwd=ROOT, check=True, capture_output=True)
    return ROOT.joinpath("build", "sbom.json").read_bytes()


@pytest.fixture(scope="module")
def written() -> bytes:
    """The file, made anew."""
    return _make_sbom()


@pytest.fixture(scope="module")
def sbom(written: bytes) -> dict[str, Any]:
    """What is in it."""
    found = json.loads(written)
    assert isinstance(found, dict)
    return found


def test_it_is_valid_cyclonedx(written: bytes, sbom: dict[str, Any]) -> None:
    assert sbom["bomFormat"] == "CycloneDX"
    version = SchemaVersion.from_version(sbom["specVersion"])
    assert version >= SchemaVersion.V1_6
    assert JsonStrictValidator(version).validate_str(written.decode()) is None


def test_it_lists_exactly_what_is_pinned_with_its_hashes(sbom: dict[str, Any]) -> None:
    text = ROOT.joinpath("requirements.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([a-z0-9.-]+)==([^ ;\\\n]+)", text, re.MULTILINE))
    assert len(pins) > 30
    assert {one["name"]: one["version"] for one in sbom["components"]} == pins
    for one in sbom["components"]:
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}"
        hashes = [each for way in one["externalReferences"] for each in way.get("hashes", [])]
        assert hashes
        assert {each["alg"] for each in hashes} == {"SHA-256"}


def test_it_says_what_it_is_the_bill_of(sbom: dict[str, Any]) -> None:
    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    component = sbom["metadata"]["component"]
    assert (component["name"], component["version"]) == (project["name"], project["version"])
    assert component["description"] == project["description"]


def test_it_changes_with_what_is_pinned_only(written: bytes) -> None:
    assert _make_sbom("ARGS=--no-validate") == written
    assert not {"timestamp", "serialNumber"} & set(re.findall(r'"(\w+)":', written.decode()))
