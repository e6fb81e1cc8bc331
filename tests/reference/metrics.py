"""The page of metrics: each instrument where the code makes it."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from .markdown import code, codes, page, prose, table
from .source import Source, called, is_argument, keywords
from .variants import gathered, source

HOME = "runtime/observability/metrics.py"
# What makes an instrument: the type that it is, and what its name ends in when it is scraped.
MAKERS = {
    "Counter": ("counter", "_total"),
    "counter": ("counter", "_total"),
    "Gauge": ("gauge", ""),
    "gauge": ("gauge", ""),
    "gauges": ("gauge", ""),
    "Histogram": ("histogram", ""),
    "LoopHistogram": ("histogram", ""),
    "Info": ("info", "_info"),
}


class Metric(NamedTuple):
    """One instrument, as it is scraped."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str
    where: str


def text() -> str:
    """The page."""
    rows = [
        (code(one.name), one.type, codes(one.labels), prose(one.help), code(one.where), needs)
        for one, needs in sorted(gathered(metrics))
    ]
    return page(
        "Metrics",
        prose("What `/metrics` on the management port has, in Prometheus's format."),
        prose(source().modules[HOME].summary.replace("\n", " ")),
        table(("Metric", "Type", "Labels", "Help", "Made in", "With"), rows),
        "Beside them are those of prometheus-client's " + codes(_defaults(source())) + ".",
    )


def metrics(of: Source) -> Iterator[Metric]:
    """Every instrument of a service.

    Raises:
        ValueError: one has a name that cannot be read off the code.
    """
    for site, node in of.sites(ast.Call):
        if called(node) not in MAKERS or len(node.args) < 2:
            continue
        name, about = (of.text(site, argument) for argument in node.args[:2])
        if name is None and is_argument(site, node.args[0]):
            continue  # of a helper, whose callers are seen
        if name is None or about is None:
            raise ValueError(f"{site.module.path}:{node.lineno}: which metric is this?")
        type_, end = MAKERS[called(node)]
        labels = _info_labels(of) if type_ == "info" else _labels(node)
        yield Metric(name.removesuffix(end) + end, type_, labels, about, site.module.path)


def _labels(node: ast.Call) -> tuple[str, ...]:
    given = keywords(node).get("labelnames", node.args[2] if len(node.args) > 2 else None)
    return tuple(ast.literal_eval(given)) if isinstance(given, ast.Tuple) else ()


def _info_labels(of: Source) -> tuple[str, ...]:
    """The composition root says what `info` has."""
    for _, node in of.sites(ast.Assign, "app.py"):
        if called(node.targets[0]) == "info":
            assert isinstance(node.value, ast.Dict)
            return tuple(str(ast.literal_eval(key)) for key in node.value.keys if key)
    raise ValueError("app.py: no info")


def _defaults(of: Source) -> Iterator[str]:
    for node in of.modules[HOME].tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("_collector"):
            yield from (alias.name for alias in node.names)
