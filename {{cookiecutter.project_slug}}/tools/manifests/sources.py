"""The files that the manifests are made from."""

from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("deploy", "observability")
# The chart's templates are YAML only once Helm has rendered them.
CHART = "deploy/helm/templates"


def yaml_files(root: Path) -> Iterator[Path]:
    """All YAML below the folders that a cluster or compose is fed from."""
    for folder in FOLDERS:
        for path in sorted(root.joinpath(folder).rglob("*.y*ml")):
            if not path.relative_to(root).as_posix().startswith(CHART):
                yield path
