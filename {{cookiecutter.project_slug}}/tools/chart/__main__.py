"""`python -m tools.chart`: write the Helm chart. Run in the service's folder."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..manifests.rendering import RenderError, render
from ..package import ROOT
from .chart import OVERLAYS, Chart


def main(
    into: Annotated[Path, typer.Option(help="the folder that it replaces")] = ROOT / "build/chart",
) -> None:
    """Write the Helm chart of the overlays."""
    try:
        folders = {name: ROOT / "deploy/kustomize/overlays" / name for name in OVERLAYS}
        rendered = {name: render(ROOT, folder) for name, folder in folders.items()}
        files = dict(Chart(ROOT, rendered).files())
    except (RenderError, ValueError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        raise SystemExit(1) from None
    if into.exists() and any(into.iterdir()) and not into.joinpath("Chart.yaml").exists():
        print(f"error: {into} is no chart, and is left alone", file=sys.stderr)
        raise SystemExit(1)
    shutil.rmtree(into, ignore_errors=True)
    for name, content in files.items():
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    print(f"{into}: {len(files)} files, from {', '.join(rendered)}")


if __name__ == "__main__":
    typer.run(main)
