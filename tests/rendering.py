"""Renders the template, for the tests and for the tools beside them."""

import contextlib
import functools
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from hooks import pre_gen_project

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"
RENDERED = ROOT / ".cache" / "rendered"

CHOICES = pre_gen_project.CHOICES
# Where the service came from: of the template, but no part of what the service is.
RECORD = ".cruft.json"
# What only the files below deploy/ follow, and some tools beside them.
DELIVERY = ("progressive_delivery", "gitops", "multi_cluster", "edge", "policy", "helm")


def generate(
    into: Path,
    answers: Mapping[str, str],
    env: Mapping[str, str] | None = None,
    template: Path = ROOT,
    more: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run Cookiecutter's command line as a user does, the service going below `into`.

    The user's own Cookiecutter settings are left out, so that every machine renders the same.

    Args:
        more: other arguments of the command line.
    """
    command = [
        sys.executable,
        "-m",
        "cookiecutter",
        str(template),
        "--no-input",
        "--default-config",
    ]
    command += ["--output-dir", str(into), *more]
    command += [f"{question}={answer}" for question, answer in answers.items()]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def render(into: Path, **answers: str) -> Path:
    """Write the service that `answers` describe into a new folder below `into`; return it.

    Raises:
        AssertionError: it could not be generated; the message has what Cookiecutter printed.
    """
    done = generate(into, answers)
    assert done.returncode == 0, done.stdout + done.stderr
    return into / answers.get("project_slug", "orders")


@functools.cache
def rendered(**answers: str) -> Path:
    """The service with these answers, for tests that only read it.

    It is written once for each state of the template: other processes and later runs find it.

    Raises:
        AssertionError: as `render`.
    """
    state = RENDERED / _state()
    home = state / hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()[:16]
    if not home.exists():
        state.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=state))
        render(scratch, **answers)
        # Another process may have been faster; its files are the same.
        with contextlib.suppress(OSError):
            scratch.rename(home)
        shutil.rmtree(scratch, ignore_errors=True)
    return home / answers.get("project_slug", "orders")


@functools.cache
def _state() -> str:
    """A hash of all that Cookiecutter reads; what other states wrote is removed."""
    digest = hashlib.sha256()
    for source in (ROOT / "cookiecutter.json", ROOT / "hooks", TEMPLATE):
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_mode:o}\0".encode())
                digest.update(path.read_bytes())
    state = digest.hexdigest()[:16]
    for old in RENDERED.glob("*") if RENDERED.exists() else ():
        if old.name != state:
            shutil.rmtree(old, ignore_errors=True)
    return state


def texts(root: Path) -> dict[str, str]:
    """Return every text file below `root` by its relative path."""
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
