"""Reads what Prometheus, Grafana and the people on call get: rules, dashboard, runbook."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser
import yaml

from .prometheus_rule import SOURCE

DASHBOARD = "observability/dashboard.json"
RUNBOOK = "observability/runbook.md"

# Grafana's own variables, as they might be when it asks.
INTERVALS = {"$__rate_interval": "1m", "$__interval": "15s", "$__range": "1h"}
VARIABLE = re.compile(r"\$\{?(\w+)\}?")


class Query(NamedTuple):
    """An expression and who asks it."""

    where: str
    expr: str


class Selector(NamedTuple):
    """What an expression reads: a metric, and the labels that it is chosen by."""

    metric: str
    labels: frozenset[str]


def rules(root: Path) -> list[Mapping[str, Any]]:
    """All rules in order; alerts have `alert`, what is recorded has `record`."""
    document = yaml.safe_load(root.joinpath(SOURCE).read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def alerts(root: Path) -> list[Mapping[str, Any]]:
    """The rules that tell somebody."""
    return [rule for rule in rules(root) if "alert" in rule]


def recorded(root: Path) -> set[str]:
    """The names of what rules record."""
    return {rule["record"] for rule in rules(root) if "record" in rule}


def rule_queries(root: Path) -> Iterator[Query]:
    """What the rules ask."""
    for rule in rules(root):
        yield Query(rule.get("alert") or rule["record"], rule["expr"])


def panels(root: Path) -> list[Mapping[str, Any]]:
    """Of the dashboard, rows included."""
    document = json.loads(root.joinpath(DASHBOARD).read_text(encoding="utf-8"))
    return list(document["panels"])


def panel_queries(root: Path) -> Iterator[Query]:
    """What the panels ask, with every variable at "all"."""
    for panel in panels(root):
        for target in panel.get("targets", ()):
            yield Query(panel["title"], with_variables(target["expr"]))


def with_variables(expr: str) -> str:
    """The expression as Grafana sends it when nothing is chosen."""
    for name, value in INTERVALS.items():
        expr = expr.replace(name, value)
    return VARIABLE.sub(".*", expr)


def selectors(expr: str) -> set[Selector]:
    """What an expression reads.

    Raises:
        ValueError: it is no PromQL.
    """
    found: set[Selector] = set()

    def visit(node: Any) -> None:
        node = getattr(node, "vector_selector", node)
        if isinstance(node, promql_parser.VectorSelector):
            labels = frozenset(one.name for one in node.matchers.matchers)
            found.add(Selector(node.name or "", labels))

    promql_parser.walk(promql_parser.parse(expr), visit)
    return found


def grouped_by(expr: str) -> set[str]:
    """The labels that an expression aggregates by, those of a join included."""
    names: set[str] = set()
    for words in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expr):
        names.update(word.strip() for word in words.split(",") if word.strip())
    return names


def anchors(root: Path) -> list[str]:
    """The sections of the runbook that are about one alert, as links name them."""
    text = root.joinpath(RUNBOOK).read_text(encoding="utf-8")
    titles = re.findall(r"^## ([A-Z][A-Za-z]+)$", text, re.MULTILINE)
    return [title.lower() for title in titles]
