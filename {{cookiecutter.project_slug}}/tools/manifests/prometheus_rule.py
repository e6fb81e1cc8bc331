"""Writes the PrometheusRule that the cluster takes: `python -m tools.manifests.prometheus_rule`.

rules.yaml is the source of it: promtool and the Prometheus of compose read only the plain text,
the operator only the object.
"""

import textwrap
from pathlib import Path

import yaml

SOURCE = "observability/rules.yaml"
DERIVED = "observability/prometheus-rule.yaml"
MONITOR = "observability/service-monitor.yaml"

HEAD = """\
# GENERATED from rules.yaml by `make fix`; never edited.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {name}
spec:
"""


def derived(rules: str, name: str) -> str:
    """The object's text; what `rules` says before its groups is for its own readers.

    Raises:
        ValueError: there are no groups in it.
    """
    start = rules.find("groups:\n")
    if start < 0:
        raise ValueError(f"{SOURCE} has no groups")
    return HEAD.replace("{name}", name) + textwrap.indent(rules[start:], "  ")


def expected(root: Path) -> str:
    """What the file has to hold now."""
    monitor = yaml.safe_load(root.joinpath(MONITOR).read_text(encoding="utf-8"))
    rules = root.joinpath(SOURCE).read_text(encoding="utf-8")
    return derived(rules, monitor["metadata"]["name"])


if __name__ == "__main__":
    from ..package import ROOT

    ROOT.joinpath(DERIVED).write_text(expected(ROOT), encoding="utf-8")
