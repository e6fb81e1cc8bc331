"""What the linters of pipelines say of the services' and of the template's own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.pipelines import github_scripts, made, steps, targets, workflows
from tests.rendering import ROOT, rendered

# Both sides of every option that the files depend on.
ANSWERS: list[dict[str, str]] = [
    {},
    {"database": "none", "config_center": "etcd", "helm": "yes", "image": "localhost:5000/tea"},
]
PINNED = re.compile(r"uses: ([\w-]+/[\w-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$", re.MULTILINE)


@pytest.fixture(scope="module", params=[None, *ANSWERS], ids=["template", "default", "other"])
def github(request: pytest.FixtureRequest) -> Path:
    """A folder with workflows: the template's, or a service's."""
    return ROOT if request.param is None else rendered(**request.param)


@pytest.fixture(scope="module", params=ANSWERS, ids=["default", "other"])
def gitlab(request: pytest.FixtureRequest) -> Path:
    return rendered(ci="gitlab", **request.param)


def _clean(folder: Path, *command: str | Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _holds(folder: Path, schema: str, names: Sequence[str], *options: str) -> None:
    """Hold files to a schema that the tool itself brings."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    _clean(folder, *command, *options, *names)


def _workflow_files(folder: Path) -> list[str]:
    return [f".github/workflows/{name}.yml" for name in workflows(folder)]


def test_actionlint_finds_nothing(github: Path, tmp_path: Path) -> None:
    # It asks shellcheck, where that is installed, about each script.
    if shutil.which("actionlint") is None:
        if os.environ.get("REQUIRE_ACTIONLINT"):
            pytest.fail("there is no actionlint, and REQUIRE_ACTIONLINT is set")
        pytest.skip("there is no actionlint")
    # The workflows that one calls are looked for from the root of its repository.
    shutil.copytree(github / ".github", tmp_path / ".github")
    tmp_path.joinpath(".git").mkdir()
    _clean(tmp_path, "actionlint", "-no-color", *_workflow_files(github))


def test_zizmor_finds_nothing(github: Path) -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    _clean(
        github,
        zizmor,
        *("--offline", "--pedantic", "--strict-collection", "--no-progress", ".github"),
    )


def test_zizmor_would_find_an_expression_in_a_script(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = rendered().joinpath(".github", "workflows", "ci.yml").read_text(encoding="utf-8")
    text = text.replace("run: make setup", "run: echo ${{ github.head_ref }}", 1)
    folder.joinpath("ci.yml").write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError, match="template-injection"):
        test_zizmor_finds_nothing(tmp_path)


def test_github_would_take_them(github: Path) -> None:
    _holds(github, "github-workflows", _workflow_files(github))
    _holds(github, "dependabot", [".github/dependabot.yml"])


def test_gitlab_would_take_it(gitlab: Path) -> None:
    _holds(gitlab, "gitlab-ci", [".gitlab-ci.yml"], "--data-transform", "gitlab-ci")
    _holds(gitlab, "renovate", ["renovate.json"])


def test_each_action_is_pinned_and_all_use_the_same_one() -> None:
    pins: dict[str, set[str]] = {}
    for folder in (ROOT, *(rendered(**answers) for answers in ANSWERS)):
        used = sum("uses" in step for step in steps(folder))
        texts = [folder.joinpath(name).read_text("utf-8") for name in _workflow_files(folder)]
        found = [pin for text in texts for pin in PINNED.findall(text)]
        assert len(found) == used > 0
        for action, pin in found:
            pins.setdefault(action, set()).add(pin)
    assert {action: found for action, found in pins.items() if len(found) > 1} == {}


def test_what_the_templates_workflows_call_is_there() -> None:
    scripts = github_scripts(ROOT)
    assert made(scripts) <= targets(ROOT)
    assert "bash .ci/run" in scripts
    part = workflows(ROOT)["ci"]["jobs"]["matrix"]["strategy"]["matrix"]["part"]
    assert part == ["code-", "pairs-", "not code- and not pairs-"]


def test_who_tests_the_newest_versions_cannot_write() -> None:
    newest = workflows(ROOT)["newest"]
    assert newest["permissions"] == {"contents": "read"}
    assert "permissions" not in newest["jobs"]["resolve"]
    for name in ("propose", "report"):
        scripts = [step["run"] for step in newest["jobs"][name]["steps"] if "run" in step]
        assert not made(scripts)
        assert not [script for script in scripts if ".ci/run" in script]
    assert newest["jobs"]["report"]["permissions"] == {"issues": "write"}
