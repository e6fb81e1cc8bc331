"""`make image` with engines that only write down how they were called."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tools.package import ROOT

NEEDED = ("cat", "date", "dirname", "git", "mkdir", "rm", "sed", "sh")
# Answers what it is asked, writes what the script reads, and keeps its arguments.
ENGINE = """#!/bin/sh
case "$1" in info) exit CODE ;; buildx) [ "$2" = version ] && exit CODE ;; esac
for word in "$0" "$@"; do printf '%s\\n' "$word"; done >>"TOLD"
echo sha256:abc >build/image.id
case "$*" in
*--metadata-file*) echo '{"containerimage.digest": "sha256:dd"}' >build/image.json ;;
*--digestfile*) echo sha256:dd >build/image.digest ;;
esac
"""
DIGEST = f"sha256:{'0' * 64}"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """What the engines were told, a line for each word."""
    return tmp_path / "told"


@pytest.fixture
def image(tmp_path: Path, told: Path) -> Run:
    """Run the script with some engines on the path, each of which works or does not."""
    service, programs = tmp_path / "a service", tmp_path / "programs"
    shutil.copytree(ROOT / "deploy", service / "deploy")
    shutil.copytree(ROOT / "src", service / "src")
    programs.mkdir()
    for name in NEEDED:
        programs.joinpath(name).symlink_to(shutil.which(name) or pytest.skip(f"no {name}"))

    def run(engines: Mapping[str, int], **variables: str) -> subprocess.CompletedProcess[str]:
        for name, code in engines.items():
            text = ENGINE.replace("CODE", str(code)).replace("TOLD", str(told))
            programs.joinpath(name).write_text(text, "utf-8")
            programs.joinpath(name).chmod(0o755)
        return subprocess.run(
            [service / "deploy" / "image.sh", "--network", "a b"],
            env={"PATH": str(programs), "GIT_CEILING_DIRECTORIES": str(tmp_path)} | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def _words(told: Path) -> list[str]:
    return told.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("engines", "chosen"),
    [
        ({"docker": 0, "podman": 0, "buildah": 0}, "docker"),
        # Its client is there, and no engine behind it.
        ({"docker": 1, "podman": 0, "buildah": 0}, "podman"),
        ({"podman": 1, "buildah": 0}, "buildah"),
    ],
)
def test_the_first_engine_that_works_builds(
    image: Run, told: Path, engines: Mapping[str, int], chosen: str
) -> None:
    done = image(engines, SOURCE_DATE_EPOCH="86400")
    assert done.returncode == 0, done.stderr
    assert "(sha256:abc)" in done.stdout
    words = _words(told)
    assert words[0].endswith(f"/{chosen}")
    assert words[-1] == "."
    # Whatever it is given arrives as it was.
    assert words[words.index("--network") + 1] == "a b"
    assert "CREATED=1970-01-02T00:00:00Z" in words
    assert "REVISION=unknown" in words
    assert any(word.startswith("VERSION=0.") for word in words)
    if chosen != "docker":
        assert words[words.index("--timestamp") + 1] == "86400"


@pytest.mark.parametrize("engine", ["docker", "podman", "buildah"])
def test_what_is_pushed_is_known_by_its_digest(image: Run, told: Path, engine: str) -> None:
    name = "registry.example.com:5000/a/b:1.0"
    done = image({engine: 0}, ENGINE=engine, PUSH="1", IMAGE=name, BASE_DIGEST=DIGEST)
    assert done.returncode == 0, done.stderr
    assert "Pushed registry.example.com:5000/a/b@sha256:dd" in done.stdout
    assert f"BASE_DIGEST={DIGEST}" in _words(told)


@pytest.mark.parametrize(
    ("engines", "variables", "words"),
    [
        ({}, {}, "needs docker (with buildx), podman or buildah"),
        ({"docker": 1}, {}, "none of them works here"),
        ({"podman": 0}, {"ENGINE": "docker"}, "docker is missing or does not work here"),
        ({"podman": 0}, {"ENGINE": "rm -rf"}, "use docker, podman or buildah"),
        ({"podman": 0}, {"PUSH": "1"}, "PUSH needs IMAGE="),
        ({"podman": 0}, {"PUSH": "1", "IMAGE": "a.b/c:1"}, "PUSH needs BASE_DIGEST="),
        ({"podman": 0}, {"BASE_DIGEST": "3.11"}, "a digest looks like"),
    ],
)
def test_what_cannot_be_built_is_one_clear_line(
    image: Run, told: Path, engines: Mapping[str, int], variables: Mapping[str, str], words: str
) -> None:
    done = image(engines, **variables)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("make image: ")
    assert words in line
    assert not told.exists()
