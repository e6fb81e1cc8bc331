"""Reads the pipelines of services, and of the template itself."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml


def workflows(folder: Path) -> dict[str, Any]:
    """GitHub's, by the names of their files."""
    found = sorted(folder.joinpath(".github", "workflows").iterdir())
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in found}


def pipeline(folder: Path) -> Any:
    """GitLab's."""
    return yaml.safe_load(folder.joinpath(".gitlab-ci.yml").read_text(encoding="utf-8"))


def jobs(folder: Path) -> dict[str, Any]:
    """GitLab's jobs by name, without what they only extend."""
    found = pipeline(folder).items()
    return {name: job for name, job in found if isinstance(job, dict) and "stage" in job}


def steps(folder: Path) -> Iterator[Any]:
    """The steps of all jobs on GitHub."""
    for workflow in workflows(folder).values():
        for job in workflow["jobs"].values():
            yield from job.get("steps", ())


def github_scripts(folder: Path) -> list[str]:
    """What runs in a shell there."""
    return [step["run"] for step in steps(folder) if "run" in step]


def gitlab_scripts(folder: Path) -> list[str]:
    """What runs in a shell there, line by line."""
    return [
        line
        for job in jobs(folder).values()
        for line in (*job.get("before_script", ()), *job.get("script", ()))
    ]


def targets(folder: Path) -> set[str]:
    """What its Makefile can make."""
    makefile = folder.joinpath("Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def made(scripts: list[str]) -> set[str]:
    """The targets that these scripts make."""
    return {name for text in scripts for name in re.findall(r"(?<![\w-])make ([a-z]+)", text)}
