"""All pages that are read from the code."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.rendering import ROOT

from . import commands, headers, logs, management, metrics, problems, questions, settings

HOME = ROOT / "docs" / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "commands": commands.text,
    "headers": headers.text,
    "logs": logs.text,
    "management": management.text,
    "metrics": metrics.text,
    "problems": problems.text,
    "questions": questions.text,
    "settings": settings.text,
}


def write(into: Path) -> None:
    """Write every page into a folder that is there."""
    for name, text in PAGES.items():
        into.joinpath(f"{name}.md").write_text(text(), encoding="utf-8", newline="\n")
