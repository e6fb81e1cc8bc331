"""The files that the manifests are made from."""

from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("deploy", "observability")


def yaml_files(root: Path) -> Iterator[Path]:
    """All YAML below the folders that a cluster or compose is fed from."""
    for folder in FOLDERS:
        yield from sorted(root.joinpath(folder).rglob("*.y*ml"))
