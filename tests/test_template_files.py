"""The template's own files: valid Python as they stand, small, and free of machine's names."""

import ast
import re
from pathlib import Path

import pytest

from tests.rendering import ROOT, TEMPLATE

PACKAGE = TEMPLATE / "src" / "{{cookiecutter.__package_name}}"
# The two files that wire options together.
WITH_OPTIONS = {
    PACKAGE / "app.py",
    PACKAGE / "runtime" / "config" / "centres.py",
    PACKAGE / "settings.py",
}
MOST_BLOCKS = 5
MOST_LINES = 250
CHOOSING = re.compile(r"# jinja:|^\s*\{%[^{}]*%\}$")
GENERATED = re.compile(r"LICENSE|requirements(-dev)?\.txt|^contract/|^src/[^/]+/contract/")


def _files() -> list[Path]:
    skipped = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv"}
    return [
        path
        for path in sorted(TEMPLATE.rglob("*"))
        if path.is_file() and not skipped.intersection(path.parts)
    ]


def _is_python(path: Path) -> bool:
    # A conditional file name ends in the tag that closes the condition.
    return path.name.removesuffix("{% endif %}").endswith(".py")


def _name(path: Path) -> str:
    return str(path.relative_to(TEMPLATE))


PYTHON = [path for path in _files() if _is_python(path)]


@pytest.mark.parametrize("path", PYTHON, ids=_name)
def test_python_is_valid_as_it_stands(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    ast.parse(text)
    if path not in WITH_OPTIONS:
        assert not re.search(r"\{\{|\{%|\{#", text), "Jinja that is not a comment line"
    blocks = len(re.findall(r"^\s*# jinja: if ", text, re.MULTILINE))
    assert blocks <= (MOST_BLOCKS if path in WITH_OPTIONS else 0)


@pytest.mark.parametrize("path", [path for path in PYTHON if PACKAGE in path.parents], ids=_name)
def test_imports_inside_the_package_are_relative(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            continue
        assert not [name for name in names if name.startswith(("steadfast", "orders"))]


@pytest.mark.parametrize("path", _files(), ids=_name)
def test_a_file_is_small_enough_to_read(path: Path) -> None:
    if not GENERATED.search(_name(path)):
        lines = path.read_text(encoding="utf-8").splitlines()
        # No service has the lines that choose, and their readers are who the limit is for.
        written = [line for line in lines if not CHOOSING.search(line)]
        assert len(written) <= (149 if path.name == "app.py" else MOST_LINES)


@pytest.mark.parametrize(
    "folder", [TEMPLATE, ROOT, ROOT / "docs"], ids=["service", "template", "site"]
)
def test_pinned_files_name_versions_only(folder: Path) -> None:
    files = sorted(folder.glob("requirements*.txt"))
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        # What the image holds has its hashes, a line for each.
        hashed = path == TEMPLATE / "requirements.txt"
        ending = r"( \\\n    --hash=sha256:[0-9a-f]{64})+" if hashed else ""
        pin = rf"[a-z0-9][a-z0-9.-]*==[0-9][^ /:]*( ; [^/:\\\n]+)?{ending}\n"
        rest = re.sub(pin, "", re.sub(r"^# jinja:.*\n", "", text, flags=re.MULTILINE))
        assert not rest, rest.splitlines()[0]


def test_the_top_level_holds_no_more_than_the_design() -> None:
    allowed = {
        *("cookiecutter.json", "hooks", TEMPLATE.name, "tests", "benchmarks", "docs"),
        *("README.md", "Makefile", "pyproject.toml", "requirements-dev.txt", "LICENSE"),
        *("CHANGELOG.md", "CONTRIBUTING.md"),
    }
    assert {path.name for path in ROOT.iterdir() if path.name[0] != "."} <= allowed | {"build"}
