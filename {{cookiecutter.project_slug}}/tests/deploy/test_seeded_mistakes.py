"""Mistakes of people, made in a copy of the manifests: each is found by its own rule."""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from steadfast_service.settings import Settings
from tools.manifests.checks import posture
from tools.manifests.model import Rendered
from tools.manifests.rendering import render
from tools.package import ROOT

from .mistake import Mistake
from .mistakes_numbers import NUMBERS
from .mistakes_objects import POSTURE, SCHEMAS
from .mistakes_references import REFERENCES
from .mistakes_settings import SETTINGS
from .support import copied, needs_kustomize, project, rules, rules_as_it_is

MISTAKES = [*REFERENCES, *SETTINGS, *NUMBERS, *POSTURE, *SCHEMAS]
NAMES = {"name": Settings.model_fields["name"].default}
Made = Mapping[str, "Future[tuple[Path, Rendered]]"]


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest) -> Iterator[Made]:
    """A copy for each mistake of this run; rendering them is what takes the time."""
    needs_kustomize()
    wanted: list[Mistake] = []
    for item in request.session.items:
        callspec = getattr(item, "callspec", None)
        mistake = callspec.params.get("mistake") if callspec else None
        if isinstance(mistake, Mistake):
            wanted.append(mistake)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor() as pool:
        yield {
            one.what: pool.submit(_make, one, Path(scratch) / str(number))
            for number, one in enumerate(wanted)
        }


def _make(mistake: Mistake, folder: Path) -> tuple[Path, Rendered]:
    root = copied(folder)
    mistake.make(root, NAMES)
    return root, render(root, root / mistake.folder)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.what.replace(" ", "-"))
def test_a_mistake_is_found(mistake: Mistake, made: Made) -> None:
    root, folder = made[mistake.what].result()
    found = rules(project(folder, root=root)) - rules_as_it_is(mistake.folder)
    assert mistake.rule in found
    assert found <= {mistake.rule, *mistake.also}


def test_the_command_says_where_it_is_and_fails(tmp_path: Path) -> None:
    needs_kustomize()
    root = copied(tmp_path)
    for name in ("src", "tools"):
        root.joinpath(name).symlink_to(ROOT / name)
    MISTAKES[0].make(root, NAMES)
    done = subprocess.run(
        [sys.executable, "-m", "tools.manifests", "--only", "references_traffic"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if "[references/target-port]" in line]
    assert len(lines) >= 3  # in every overlay
    assert f"Service/{NAMES['name']}" in lines[0]


def test_there_are_enough_of_them() -> None:
    rules = Counter(one.rule for one in MISTAKES)
    assert len(MISTAKES) >= 24
    # What only a Rollout can have wrong is tested where there is one.
    wanted = {f"posture/{name}" for name in posture.RULES - {"lent-template"}}
    assert wanted <= rules.keys()
    assert len({one.what for one in MISTAKES}) == len(MISTAKES)
