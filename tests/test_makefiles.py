"""The two Makefiles on a machine that lacks what they need: one clear line, no half-made work."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rendering import ROOT, render

# Stand-ins for `python3`: one that is too old, and Debian's without its venv package.
TOO_OLD = "exit 1"
WITHOUT_VENV = 'case "$2" in *ensurepip*) exit 1;; esac'


@pytest.fixture(params=["template", "service"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with one of the Makefiles, and nothing set up."""
    if request.param == "service":
        return render(tmp_path)
    for name in ("Makefile", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def _setup(folder: Path, python: str | None) -> subprocess.CompletedProcess[str]:
    programs = folder / "programs"
    programs.mkdir()
    if python is not None:
        programs.joinpath("python3").write_text(f"#!/bin/sh\n{python}\n", encoding="utf-8")
        programs.joinpath("python3").chmod(0o755)
    return subprocess.run(
        [shutil.which("make") or "make", "setup"],
        cwd=folder,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("python", "words"),
    [
        (None, "needs Python 3.11 or newer"),
        (TOO_OLD, "needs Python 3.11 or newer"),
        (WITHOUT_VENV, "python3 lacks the venv module"),
    ],
    ids=["no python", "too old", "without venv"],
)
def test_what_is_missing_is_one_clear_line(folder: Path, python: str | None, words: str) -> None:
    done = _setup(folder, python)
    assert done.returncode != 0
    # Make itself adds which target failed.
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert words in line
    assert not folder.joinpath(".venv").exists()


def test_pins_without_uv_is_one_clear_line(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "UV=", "pins"], cwd=render(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "needs uv" in done.stderr.splitlines()[0]


def test_the_help_of_the_template_names_every_target() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^  make (\w+) +\S", done.stdout, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.+)$", ROOT.joinpath("Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert listed == set(phony[1].split())
