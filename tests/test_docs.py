"""The pages of docs/: built strictly, and every command block run as a reader would."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents.blocks import Block, Use, blocks
from tests.documents.needs import CHECKS, told
from tests.documents.reading import read
from tests.rendering import ROOT
from tests.repository import copy_of
from tests.services import make, service

DOCS = ROOT / "docs"
TUTORIAL = sorted(DOCS.glob("tutorial/*.md"))
GUIDES = [page for page in sorted(DOCS.glob("how-to/*.md")) if page.name != "index.md"]
# Blocks for which a reader needs more than Python, make and git. Another one is a decision.
MARKED = {"kubectl": 4, "containers": 3, "cluster": 4, "gateway": 3}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader would clone."""
    return copy_of(tmp_path_factory.mktemp("repository") / "steadfast", committed=True)


@pytest.fixture
def guide() -> Iterator[Path]:
    """A fresh service with its environment, which is where each guide begins."""
    with service("docs") as folder:
        make(folder, "setup")
        yield folder


def test_the_tutorial_does_what_it_says(tmp_path: Path, repository: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    whole = [block for page in TUTORIAL for block in blocks(page)]
    read(whole, folder, tmp_path / "reading", repository)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_guide_does_what_it_says(
    page: Path, guide: Path, tmp_path: Path, repository: Path
) -> None:
    done = blocks(page)
    assert any(block.use is Use.RUN for block in done), "no command proves it"
    read(done, guide, tmp_path / "reading", repository)


def _all_blocks() -> list[Block]:
    return [block for page in sorted(DOCS.rglob("*.md")) for block in blocks(page)]


def test_few_blocks_need_what_not_every_machine_has() -> None:
    assert set(told()) == set(CHECKS)
    marked = [block.needs for block in _all_blocks() if block.needs]
    assert {name: marked.count(name) for name in CHECKS} == MARKED


def test_the_site_has_no_warning_no_dead_link_and_no_page_that_nobody_finds() -> None:
    # With the environment of this run, which need not be the one that `make setup` makes.
    make(ROOT, "docs", f"VENV={sys.prefix}", f"--old-file={sys.prefix}/.installed")
    site = ROOT / "build" / "docs"
    pages = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")}
    assert all(site.joinpath(page).is_file() for page in pages)
