"""The linters that are installed here; each finding of theirs is one of ours.

What an object leaves undone on purpose it says in the linter's own annotation, with the reason.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from ..exceptions import PREFIX, annotations, exceptions, is_reason
from ..model import Finding, Project, Rendered, Skipped
from ..pods import unfolded

LIMIT = 300.0  # seconds; checkov takes ten to begin with
# Names of what an object leaves undone, with the reason in the same place.
CHECKOV, KUBE_LINTER = "checkov.io/skip", "ignore-check.kube-linter.io/"
KUBE_SCORE = "kube-score/ignore"
ALL_WELL = 10  # kube-score's best grade

Told = Iterator[tuple[str, str, str]]  # where, the linter's rule, the message
Linter = Callable[[str, Project, Mapping[str, Path]], Told]


class LinterError(Exception):
    """It did not say what it thinks, but why it could not."""


def check(project: Project) -> Iterator[Finding | Skipped]:
    """Reasons first, which needs no linter; then all that are there, side by side."""
    for rendered in project.rendered:
        yield from _without_reason(unfolded(rendered))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        files = {}
        for rendered in project.rendered:
            path = Path(folder, f"{rendered.name.replace('/', '-')}.yaml")
            objects = unfolded(rendered).objects
            path.write_text(yaml.dump_all(objects, Dumper=yaml.CSafeDumper), "utf-8")
            files[rendered.name] = path
        for results in pool.map(lambda name: list(_run(name, project, files)), LINTERS):
            yield from results


def _run(name: str, project: Project, files: Mapping[str, Path]) -> Iterator[Finding | Skipped]:
    beside = Path(sys.executable).with_name(name)
    command = str(beside) if beside.exists() else shutil.which(name)
    if command is None:
        yield Skipped(name, "it is not installed here")
        return
    try:
        for where, rule, message in LINTERS[name](command, project, files):
            yield Finding(where, f"linters/{name}/{rule}", message)
    except (LinterError, subprocess.TimeoutExpired) as exc:
        yield Finding(name, f"linters/{name}", f"did not run: {exc}")


def _without_reason(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.objects:
        reasons = exceptions(manifest)
        for key, value in annotations(manifest).items():
            missing: Iterable[str] = ()
            if key.startswith(CHECKOV) and not is_reason(value.partition("=")[2]):
                missing = [f"{key} gives no reason behind `=`"]
            elif key.startswith(KUBE_LINTER) and not is_reason(value):
                missing = [f"{key} gives no reason"]
            elif key == KUBE_SCORE:
                names = [name.strip() for name in value.split(",")]
                missing = [
                    f"{key} leaves out {name}; {PREFIX}kube-score.{name} has to say why"
                    for name in names
                    if not is_reason(reasons.get(f"kube-score.{name}", ""))
                ]
            for said in missing:
                yield rendered.finding(manifest, "linters/no-reason", said)


def _output(command: Iterable[str], root: Path) -> str:
    """What it prints; all of them fail where they have something to say."""
    done = subprocess.run(  # noqa: S603
        [*command], cwd=root, capture_output=True, text=True, check=False, timeout=LIMIT
    )
    if not done.stdout.strip() and done.returncode:
        raise LinterError(" ".join(done.stderr.split()[-30:]) or f"exit {done.returncode}")
    return done.stdout


def _json(command: Iterable[str], root: Path) -> Any:
    text = _output(command, root)
    try:
        return json.loads(text or "[]")
    except ValueError:
        raise LinterError(" ".join(text.split()[:30])) from None


def _yamllint(command: str, project: Project, _files: Mapping[str, Path]) -> Told:
    folders = [name for name in ("deploy", "observability") if project.root.joinpath(name).exists()]
    config = ["--config-file", "deploy/.yamllint.yaml"]
    for line in _output(
        [command, "--format", "parsable", *config, *folders], project.root
    ).splitlines():
        where, _, said = line.partition(": ")
        message, _, rule = said.partition("] ")[2].rpartition(" (")
        yield where, rule.rstrip(")") or "syntax", message or said


def _hadolint(command: str, project: Project, _files: Mapping[str, Path]) -> Told:
    for file in sorted(project.root.glob("deploy/*Dockerfile")):
        name = file.relative_to(project.root).as_posix()
        for one in _json([command, "--format", "json", name], project.root):
            yield f"{name}:{one['line']}", one["code"], one["message"]


def _kube_score(command: str, project: Project, files: Mapping[str, Path]) -> Told:
    version = ["--kubernetes-version", f"v{project.versions[-1]}"] if project.versions else []
    for name, file in files.items():
        found = _json([command, "score", "-o", "json", *version, str(file)], project.root)
        for one in found or ():
            for made in one["checks"]:
                if not made["skipped"] and made["grade"] < ALL_WELL:
                    for said in made["comments"] or ():
                        where = f"{name}: {one['type_meta']['kind']}/{one['object_meta']['name']}"
                        part = f"{said['path']}: " if said["path"] else ""
                        yield where, made["check"]["id"], f"{part}{said['summary']}"


def _kube_linter(command: str, project: Project, files: Mapping[str, Path]) -> Told:
    for name, file in files.items():
        found = _json([command, "lint", "--format", "json", str(file)], project.root)
        for one in found.get("Reports") or ():
            thing = one["Object"]["K8sObject"]
            where = f"{name}: {thing['GroupVersionKind']['Kind']}/{thing['Name']}"
            yield where, one["Check"], one["Diagnostic"]["Message"]


def _checkov(command: str, project: Project, files: Mapping[str, Path]) -> Told:
    # Quiet about what is well, and without the network.
    how = ["--framework", "kubernetes", "--compact", "--quiet", "--skip-download", "-o", "json"]
    which = [part for file in files.values() for part in ("--file", str(file))]
    found = _json([command, *how, *which], project.root)
    folders = {file.name: name for name, file in files.items()}
    for report in found if isinstance(found, list) else [found]:
        for one in report.get("results", {}).get("failed_checks", ()):
            kind, _, name = one["resource"].partition(".")
            folder = folders.get(Path(one["file_path"]).name, one["file_path"])
            yield f"{folder}: {kind}/{name.rpartition('.')[2]}", one["check_id"], one["check_name"]


LINTERS: Mapping[str, Linter] = {
    "yamllint": _yamllint,
    "hadolint": _hadolint,
    "kube-score": _kube_score,
    "kube-linter": _kube_linter,
    "checkov": _checkov,
}
