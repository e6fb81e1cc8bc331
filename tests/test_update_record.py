"""A service knows where it came from, if that can be known; nothing else is written down."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hooks import post_gen_project as hook
from tests.rendering import RECORD, generate
from tests.upgrades.history import repository
from tests.upgrades.tools import cruft, git

NOWHERE = "the template is in no git repository of its own"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template's repository, as it is checked out."""
    return repository(tmp_path_factory.mktemp("history") / "template")


@pytest.fixture
def template(history: Path, tmp_path: Path) -> Iterator[Path]:
    """A clone of it that a test may change; it goes at once, it is large."""
    clone = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", str(history), clone.name)
    yield clone
    shutil.rmtree(clone)


def head(template: Path) -> str:
    """The newest commit."""
    return git(template, "rev-parse", "HEAD").strip()


def without_git(template: Path, to: Path) -> Path:
    """The files alone, as an archive has them."""
    return shutil.copytree(template, to, ignore=shutil.ignore_patterns(".git"))


def test_the_address_is_one_that_others_can_reach(template: Path, history: Path) -> None:
    found = hook.origin(template)
    assert found == {"template": str(history), "commit": head(template), "directory": None}


def test_a_commit_that_only_this_folder_has_is_had_from_it(template: Path) -> None:
    git(template, "commit", "--allow-empty", "--message", "Not pushed")
    assert hook.origin(template)["template"] == str(template)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:secret@git.example.com/x.git", "https://git.example.com/x.git"),
        ("http://token@git.example.com/x.git", "http://git.example.com/x.git"),
        ("git@git.example.com:x.git", "git@git.example.com:x.git"),
        ("ssh://git@git.example.com/x.git", "ssh://git@git.example.com/x.git"),
    ],
)
def test_no_password_is_recorded(template: Path, address: str, shown: str) -> None:
    git(template, "remote", "set-url", "origin", address)
    assert hook.origin(template)["template"] == shown


def test_an_address_that_is_relative_is_of_no_use_elsewhere(template: Path) -> None:
    git(template, "remote", "set-url", "origin", "../x")
    assert hook.origin(template)["template"] == str(template)


def test_a_hook_of_git_does_not_mislead(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert hook.origin(template)["commit"] == head(template)


def test_a_template_among_others_has_its_folder(template: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "outer")
    outer = tmp_path / "outer"
    one = without_git(template, outer / "templates" / "service")
    with pytest.raises(LookupError, match=NOWHERE):
        hook.origin(one)
    git(outer, "add", "--all")
    git(outer, "commit", "--message", "All templates")
    found = hook.origin(one)
    assert (found["template"], found["directory"]) == (str(outer), "templates/service")


@pytest.mark.parametrize("ignored", [False, True])
def test_a_folder_without_git_cannot_be_had_again(
    template: Path, tmp_path: Path, ignored: bool
) -> None:
    if ignored:  # it lies in somebody's repository, which does not have it
        git(tmp_path, "init")
        tmp_path.joinpath(".gitignore").write_text("*\n", encoding="utf-8")
        git(tmp_path, "commit", "--allow-empty", "--message", "Of something else")
    with pytest.raises(LookupError, match=NOWHERE):
        hook.origin(without_git(template, tmp_path / "unpacked"))


def test_without_git_nobody_can_tell(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LookupError, match="git cannot be started"):
        hook.origin(template)


def test_changes_that_are_in_no_commit_are_not_passed_off_as_one(
    template: Path, tmp_path: Path
) -> None:
    template.joinpath("README.md").write_text("No service has this.", encoding="utf-8")
    assert hook.origin(template)["commit"] == head(template)
    template.joinpath("hooks", "new.py").touch()
    tmp_path.joinpath("orders").mkdir()
    tmp_path.joinpath("orders", RECORD).write_text("of another service", encoding="utf-8")
    written_over = generate(tmp_path, {}, template=template, more=("--overwrite-if-exists",))
    assert written_over.returncode == 0, written_over.stderr
    *_, last = written_over.stdout.splitlines()
    assert last.endswith("of the template: the template has changes that are in no commit.")
    assert not tmp_path.joinpath("orders", RECORD).exists()


def test_a_service_from_cookiecutter_takes_what_changes_later(
    template: Path, tmp_path: Path
) -> None:
    git(template, "remote", "remove", "origin")
    # As a user names it who stands somewhere else.
    env = {**os.environ, "PWD": str(Path.cwd())}
    named = Path(os.path.relpath(template))
    done = generate(tmp_path, {"auth": "jwt"}, env=env, template=named)
    assert done.returncode == 0, done.stderr
    assert "upgrade" not in done.stdout
    service = tmp_path / "orders"
    record = json.loads(service.joinpath(RECORD).read_text(encoding="utf-8"))
    answers = record["context"]["cookiecutter"]
    assert answers["auth"] == "jwt"
    assert not [name for name in answers if name.startswith("_")]
    for command in (["init"], ["add", "--all"], ["commit", "--message", "As it was written"]):
        git(service, *command)
    (folder,) = template.glob("*cookiecutter.project_slug*")
    folder.joinpath("new.txt").write_text("{{ cookiecutter.auth }}\n", encoding="utf-8")
    git(template, "add", "--all")
    git(template, "commit", "--message", "One more file")
    cruft(service, "update", "--skip-apply-ask")
    assert service.joinpath("new.txt").read_text(encoding="utf-8") == "jwt\n"
    assert "SUCCESS" in cruft(service, "check")
