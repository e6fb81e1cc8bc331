"""The templates of the page, compiled."""

import importlib.resources
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = "templates"
STYLE = "console.css"  # is part of the page: nothing is painted before it is there
PAUSE = 0.05  # seconds between templates, each of which takes 5 to 10 ms


def open_environment(files: Mapping[str, str], hurry: threading.Event) -> "Environment":
    """All templates, compiled: some 0.2 s of work, so call it in a thread.

    Escaping is on for every one of them, and a name that a template does not have is an
    error, not an empty place.

    Args:
        files: what `texts` has read.
        hurry: until this is set it takes its time, and leaves the processor to requests.
    """
    # Not before somebody looks: it costs every start of the service 50 ms and 5 MiB.
    from jinja2 import DictLoader, Environment, StrictUndefined

    from .filters import FILTERS

    templates = {name: text for name, text in files.items() if name != STYLE}
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=DictLoader(templates),
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    for name in templates:
        environment.get_template(name)
        hurry.wait(PAUSE)
    return environment


def texts() -> Mapping[str, str]:
    """Every template by its name, such as `sections/traffic.html`, and the style sheet."""
    return dict(_texts(importlib.resources.files(__package__) / FOLDER, ""))


def _texts(folder: Any, prefix: str) -> Any:
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            yield from _texts(entry, f"{name}/")
        elif name.endswith((".css", ".html")):
            yield name, entry.read_text(encoding="utf-8")
