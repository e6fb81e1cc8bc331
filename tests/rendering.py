"""Renders the template, for the tests and for the tools beside them."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"

CHOICES: Mapping[str, tuple[str, ...]] = {
    "database": ("sql", "none"),
    "auth": ("none", "jwt"),
    "config_center": ("none", "etcd", "consul", "nacos"),
    "progressive_delivery": ("none", "gateway-api", "argo-rollouts"),
    "gitops": ("none", "argocd"),
    "multi_cluster": ("none", "karmada"),
    "edge": ("none", "k3s", "kubeedge"),
    "policy": ("none", "kyverno", "admission"),
    "helm": ("no", "yes"),
    "license": ("MIT", "Apache-2.0", "BSD-3-Clause", "Proprietary"),
    "python_version": ("3.11", "3.12", "3.13"),
    "ci": ("github", "gitlab", "none"),
}

# What only the files below deploy/ follow, and some tools beside them.
DELIVERY = ("progressive_delivery", "gitops", "multi_cluster", "edge", "policy", "helm")


def generate(
    into: Path, answers: Mapping[str, str], env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Cookiecutter's command line as a user does, the service going below `into`.

    The user's own Cookiecutter settings are left out, so that every machine renders the same.
    """
    command = [sys.executable, "-m", "cookiecutter", str(ROOT), "--no-input", "--default-config"]
    command += ["--output-dir", str(into)]
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


def texts(root: Path) -> dict[str, str]:
    """Return every text file below `root` by its relative path."""
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
