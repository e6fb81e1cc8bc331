"""What a developer has around the service: hooks of git, a container to work in, an editor."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.pipelines import made, targets
from tests.rendering import CHOICES, ROOT, TEMPLATE, rendered
from tests.services import environment

AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Tests"), ("EMAIL", "tests@example.com"))
}


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {**environment(GIT_CONFIG_GLOBAL=os.devnull), **AUTHOR}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_hooks_pass_what_is_written_and_stop_what_is_bad(folder: Path) -> None:
    for command in ("git init --quiet", "make hooks", "git add .", "git commit --quiet -m First"):
        done = _run(folder, *command.split())
        assert done.returncode == 0, done.stdout + done.stderr
    every = _run(folder, ".venv/bin/python", "-m", "pre_commit", "run", "--all-files")
    assert every.returncode == 0, every.stdout + every.stderr
    assert every.stdout.count("Passed") == 4
    assert not _run(folder, "git", "status", "--short").stdout
    folder.joinpath("src", "orders", "bad.py").write_text("import os\n\nx=1 \n", encoding="utf-8")
    _run(folder, "git", "add", ".")
    refused = _run(folder, "git", "commit", "-m", "Bad")
    assert refused.returncode != 0
    for found in ("F401", "trailing whitespace", "files were modified by this hook"):
        assert found in refused.stdout + refused.stderr
    assert folder.joinpath(".git", "hooks", "pre-push").exists()


def test_no_hook_fetches_anything() -> None:
    text = rendered().joinpath(".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"repo: (\S+)", text) == ["local"]
    assert set(re.findall(r"language: (\S+)", text)) == {"unsupported"}


@pytest.mark.parametrize("version", CHOICES["python_version"])
def test_the_container_has_what_the_service_needs(version: str) -> None:
    service = rendered(python_version=version, config_center="etcd")
    container = json.loads(service.joinpath(".devcontainer", "devcontainer.json").read_text())
    dockerfile = service.joinpath(".devcontainer", "Dockerfile").read_text(encoding="utf-8")
    assert f"\nFROM python:{version}-" in dockerfile
    assert dockerfile.endswith(f"\nUSER {container['remoteUser']}\n")
    assert {"etcd-server", "postgresql", "redis-server"} <= set(dockerfile.split())
    assert container["forwardPorts"] == [8000, 9000]
    assert made([container["postCreateCommand"]]) <= targets(service)


def test_the_editor_uses_the_services_own_tools() -> None:
    folder = rendered().joinpath(".vscode")
    settings = json.loads(folder.joinpath("settings.json").read_text(encoding="utf-8"))
    wanted = json.loads(folder.joinpath("extensions.json").read_text(encoding="utf-8"))
    assert settings["python.defaultInterpreterPath"].endswith("/.venv/bin/python")
    assert settings["[python]"]["editor.defaultFormatter"] in wanted["recommendations"]
    for tool in ("mypy-type-checker", "ruff"):
        assert settings[f"{tool}.importStrategy"] == "fromEnvironment"


def test_the_template_is_edited_as_its_services_are() -> None:
    ours, theirs = (path.joinpath(".editorconfig").read_bytes() for path in (ROOT, TEMPLATE))
    assert ours == theirs


@pytest.mark.parametrize("ci", CHOICES["ci"])
def test_updates_come_by_what_the_host_has(ci: str) -> None:
    service = rendered(ci=ci)
    assert service.joinpath(".github", "dependabot.yml").exists() is (ci == "github")
    assert service.joinpath("renovate.json").exists() is (ci == "gitlab")
