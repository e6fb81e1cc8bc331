"""How Sphinx builds these pages: `make docs`."""

import re
from typing import Any

project = "Steadfast"
author = "The authors of Steadfast"
extensions = ["myst_parser"]
exclude_patterns = ["requirements.txt"]

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "Steadfast"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False

# A block with `needs=NAME` is done by the tests only where that is there.
NEEDS = {
    "kubectl": "Needs kubectl.",
    "containers": "Needs Docker with Compose, and a registry that the images come from.",
    "cluster": "Needs Docker, kubectl and kind.",
    "gateway": "Needs a cluster with a gateway, Prometheus and PostgreSQL, and names of your own.",
}
_FENCE = re.compile(r"^( *)(`{3,})(\w+)((?: (?:file|needs)=\S+)+)$", re.MULTILINE)


def _fence(found: "re.Match[str]") -> str:
    indent, ticks, language, words = found.groups()
    said = dict(word.split("=", 1) for word in words.split())
    note = f"{indent}*{NEEDS[said['needs']]}*\n\n" if "needs" in said else ""
    if "file" not in said:
        return f"{note}{indent}{ticks}{language}"
    return f"{note}{indent}{ticks}{{code-block}} {language}\n{indent}:caption: {said['file']}\n\n"


def _show_attributes(_app: Any, _page: str, source: list[str]) -> None:
    """What a fence says to the tests is shown to the reader too: see tests/documents/blocks.py."""
    source[0] = _FENCE.sub(_fence, source[0])


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _show_attributes)
