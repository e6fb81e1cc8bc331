"""The commands of the two READMEs: run against a service, or by the test that is named here."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.documents.blocks import Block, Use, blocks
from tests.documents.reading import read
from tests.rendering import ROOT, TEMPLATE, rendered
from tests.services import make, service

# The beginning of a command, a file that runs it or what it does, and a word of that.
ELSEWHERE = {
    "make demo": (ROOT / "tests/test_demo.py", '["make", "demo"]'),
    "make test": (ROOT / "Makefile", "-m pytest"),  # this run
    "pip install cookiecutter": (ROOT / "docs/tutorial/1-first-response.md", "install --quiet"),
    "cookiecutter path/to/this": (ROOT / "tests/rendering.py", '"cookiecutter"'),
    "cd orders && make setup run": (ROOT / "docs/tutorial/1-first-response.md", "make run"),
    "make setup run": (ROOT / "docs/tutorial/1-first-response.md", "make run"),
    "make lint test": (ROOT / "tests/test_services.py", '"lint"'),
    ".venv/bin/python -m orders check --watch": (
        TEMPLATE / "tests/support/process.py",
        '"check", "--watch"',
    ),
    "etcdctl put": (TEMPLATE / "tests/runtime/integration/config_center", "etcd"),
    "consul kv put": (TEMPLATE / "tests/runtime/integration/config_center", "consul"),
}
# A token and ports of its own; the last is the sandbox issuer's.
START = """\
export APP_MANAGEMENT__TOKEN=a-token-of-the-readme APP_AUTH__SANDBOX_PORT=8100
make run &
curl -sf --retry 60 --retry-delay 1 --retry-connrefused http://127.0.0.1:8000/readyz
"""
OPTIONS = [{"auth": "jwt", "config_center": "etcd"}, {"config_center": "consul"}]


def commands(block: Block) -> list[str]:
    """Those of a block, each with the lines that it goes on in."""
    return re.findall(r"(?:.*\\\n)*.+\n", block.text)


def _elsewhere(command: str) -> str | None:
    return next((start for start in ELSEWHERE if command.startswith(start)), None)


def _here(page: list[Block]) -> list[Block]:
    """What is left to run; curl fails where the answer is an error."""
    left = []
    for block in page:
        if block.use is Use.RUN and not block.needs:
            own = [one for one in commands(block) if _elsewhere(one) is None]
            text = re.sub(r"\bcurl ", "curl --fail-with-body ", "".join(own))
            left += [replace(block, text=text)] if own else []
    return left


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A service with tokens, whose README has the most commands."""
    with service("docs-jwt", auth="jwt") as folder:
        make(folder, "setup")
        yield folder


def test_the_commands_of_the_services_readme_work(made: Path, tmp_path: Path) -> None:
    readme = made / "README.md"
    start = Block(readme, 0, Use.RUN, START)
    read([start, *_here(blocks(readme))], made, tmp_path / "reading")


def test_the_commands_of_the_templates_readme_work(tmp_path: Path) -> None:
    readme = ROOT / "README.md"
    with service("docs") as folder:
        make(folder, "setup")
        start = Block(readme, 0, Use.RUN, START)
        read([start, *_here(blocks(readme))], folder, tmp_path / "reading")


def test_what_is_run_elsewhere_is_run_there() -> None:
    pages = [ROOT / "README.md", *(rendered(**answers) / "README.md" for answers in OPTIONS)]
    said = [one for page in pages for block in blocks(page) for one in commands(block)]
    assert set(ELSEWHERE) == {start for one in said if (start := _elsewhere(one))}
    for place, word in ELSEWHERE.values():
        files = [place] if place.is_file() else [*place.rglob("*.py"), *place.rglob("*.py{%*")]
        assert any(word in file.read_text(encoding="utf-8") for file in files), place
