"""Renders the folders of `deploy` as Kubernetes would get them."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from .model import Manifest, Rendered


class RenderError(Exception):
    """A folder that Kustomize refuses; the message is its own."""


def folders(root: Path) -> Iterator[Path]:
    """What is applied as it is: the overlays, and what an option put beside them."""
    yield from sorted(
        path.parent for path in root.glob("deploy/kustomize/overlays/*/kustomization.yaml")
    )
    for name in ("argocd", "policies"):
        if root.joinpath("deploy", name, "kustomization.yaml").exists():
            yield root / "deploy" / name


def kustomize() -> list[str]:
    """The command that renders. Raises `RenderError` where there is none."""
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    if shutil.which("kubectl"):
        return ["kubectl", "kustomize"]
    raise RenderError("needs kubectl or kustomize on the path")


def render(root: Path, folder: Path) -> Rendered:
    """Render one folder.

    Raises:
        RenderError: it cannot be rendered, or there is nothing to render it with.
    """
    name = folder.relative_to(root).as_posix()
    command = [*kustomize(), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line and line[0] != "#"]
        # Newer ones of kubectl say it as a record of their log.
        said = re.sub(r"^E\d+ .* err=", "", lines[0] if lines else "no word why")
        raise RenderError(f"{name}: {said}")
    return Rendered(name, objects(done.stdout))


def render_all(root: Path) -> Sequence[Rendered]:
    """Render every folder, in the order of `folders`. Raises `RenderError` as `render` does."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda folder: render(root, folder), folders(root)))


def objects(text: str) -> list[Manifest]:
    """The objects in a stream of YAML, empty documents left out."""
    return [one for one in yaml.load_all(text, yaml.CSafeLoader) if one]


def read_crds(paths: Sequence[Path], rendered: Sequence[Rendered] = ()) -> list[Manifest]:
    """Definitions of custom resources, from files or folders of YAML; lists are unfolded.

    Args:
        rendered: what they are for; files about other kinds, some of them megabytes, are left out.
    """
    files = [
        file
        for path in paths
        for file in (sorted(path.glob("*.y*ml")) if path.is_dir() else [path])
    ]
    kinds = {str(manifest.get("kind")) for folder in rendered for manifest in folder.objects}
    names = "|".join(map(re.escape, sorted(kinds))) if kinds else ".*"
    wanted = re.compile(rf"""\bkind["']?:\s*["']?({names})["']?\s*[,}}\n]""")
    found: list[Manifest] = []
    for file in files:
        text = file.read_text(encoding="utf-8")
        for one in objects(text) if wanted.search(text) else ():
            items = one["items"] if one.get("kind") == "List" else [one]
            found += [item for item in items if item.get("kind") == "CustomResourceDefinition"]
    return found
