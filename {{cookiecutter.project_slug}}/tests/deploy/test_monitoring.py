"""The check `monitoring` passes on what is here and finds what is broken in a copy."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tools.manifests.checks import monitoring
from tools.manifests.model import Finding, Project, Skipped
from tools.manifests.observability import alerts, with_variables
from tools.manifests.prometheus_rule import DERIVED, SOURCE, derived, expected
from tools.manifests.rendering import render
from tools.package import ROOT

from ..support.server import program

OVERLAY = ROOT / "deploy/kustomize/overlays/production"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of what the check reads; without promtool, which takes seconds."""
    shutil.copytree(ROOT / "observability", tmp_path / "observability")
    shutil.copytree(ROOT / "deploy/compose", tmp_path / "deploy/compose")
    monkeypatch.setenv("PATH", "")
    return tmp_path


def findings(root: Path) -> list[str]:
    """The rules that something breaks."""
    return [one.rule for one in monitoring.check(Project(root, [])) if isinstance(one, Finding)]


def edit(root: Path, name: str, old: str, new: str) -> None:
    path = root / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    if name == SOURCE:
        root.joinpath(DERIVED).write_text(expected(root), encoding="utf-8")


def test_all_of_it_holds() -> None:
    program("promtool", "REQUIRE_PROMTOOL")
    assert list(monitoring.check(Project(ROOT, []))) == []


def test_without_promtool_it_says_so(copy: Path) -> None:
    (gap,) = monitoring.check(Project(copy, []))
    assert isinstance(gap, Skipped)
    assert "promtool" in gap.reason


def _touch_derived(root: Path) -> None:
    edit(root, DERIVED, "for: 2m", "for: 3m")


def _no_severity(root: Path) -> None:
    edit(root, SOURCE, "severity: page", "severity: loud")


def _no_summary(root: Path) -> None:
    edit(root, SOURCE, "summary:", "sumary:")


def _dead_link(root: Path) -> None:
    edit(root, "observability/runbook.md", "## EventLoopLags", "## Event loop lags")


def _dead_section(root: Path) -> None:
    edit(root, "observability/runbook.md", "## EventLoopLags", "## Nothing\n\n## EventLoopLags")


def _same_id(root: Path) -> None:
    edit(root, "observability/dashboard.json", '"id":2,', '"id":1,')


def _bad_query(root: Path) -> None:
    edit(root, "observability/dashboard.json", "sum by (status) (", "sum by (status) ((")


@pytest.mark.parametrize(
    ("mistake", "rule"),
    [
        (_touch_derived, "monitoring/derived"),
        (_no_severity, "monitoring/severity"),
        (_no_summary, "monitoring/annotations"),
        (_dead_link, "monitoring/runbook"),
        (_dead_section, "monitoring/runbook"),
        (_same_id, "monitoring/panels"),
        (_bad_query, "monitoring/promql"),
    ],
)
def test_a_mistake_is_found(copy: Path, mistake: Callable[[Path], None], rule: str) -> None:
    mistake(copy)
    assert findings(copy) == [rule]


@pytest.mark.parametrize(
    ("name", "old", "new", "rule"),
    [
        (SOURCE, "max by (namespace, job) (up", "max by (namespace, job) ((up", "check-rules"),
        ("deploy/compose/prometheus.yaml", "job_name", "jobname", "check-config"),
        (SOURCE, "for: 10m", "for: 30m", "test-rules"),
    ],
)
def test_promtool_finds_the_others(
    tmp_path: Path, name: str, old: str, new: str, rule: str
) -> None:
    program("promtool", "REQUIRE_PROMTOOL")
    shutil.copytree(ROOT / "observability", tmp_path / "observability")
    shutil.copytree(ROOT / "deploy/compose", tmp_path / "deploy/compose")
    tmp_path.joinpath("observability/objectives.test.yaml").unlink()  # they take seconds
    if rule != "test-rules":
        health = tmp_path / "observability/health.test.yaml"
        health.write_text("rule_files: []\ntests: []\n")
    edit(tmp_path, name, old, new)
    assert f"monitoring/{rule}" in findings(tmp_path)


def _firing() -> Iterator[str]:
    for path in ROOT.glob("observability/*.test.yaml"):
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            for case in test.get("promql_expr_test", ()):
                for sample in case["exp_samples"]:
                    yield from re.findall(r'alertname="(\w+)"', sample["labels"])


def test_every_alert_is_seen_firing_by_promtool() -> None:
    assert {alert["alert"] for alert in alerts(ROOT)} == set(_firing())


def test_the_cluster_gets_rules_and_dashboard() -> None:
    if not shutil.which("kustomize"):
        program("kubectl", "REQUIRE_KUSTOMIZE")
    production = render(ROOT, OVERLAY)
    (rule,) = production.of_kind("PrometheusRule")
    source = yaml.safe_load(ROOT.joinpath(SOURCE).read_text(encoding="utf-8"))
    assert rule["spec"] == source
    (board,) = (
        one
        for one in production.of_kind("ConfigMap")
        if one["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
    )
    (text,) = board["data"].values()
    assert text == ROOT.joinpath("observability/dashboard.json").read_text(encoding="utf-8")
    (monitor,) = production.of_kind("ServiceMonitor")
    management = production.find("Service", f"{monitor['metadata']['name']}-management")
    assert management is not None
    job = management["metadata"]["labels"][monitor["spec"]["jobLabel"]]
    assert all(f'job="{job}"' in alert["expr"] for alert in alerts(ROOT))


def test_rules_without_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="no groups"):
        derived("rules: []\n", "x")


def test_variables_are_set_as_grafana_does() -> None:
    asked = "rate(x{a=~'$namespace',b='${instance}'}[$__rate_interval])"
    assert with_variables(asked) == "rate(x{a=~'.*',b='.*'}[1m])"


def test_make_fix_writes_the_derived_file() -> None:
    makefile = ROOT.joinpath("Makefile").read_text(encoding="utf-8")
    fix = makefile.partition("\nfix:")[2].partition("\n\n")[0]
    assert "tools.manifests.prometheus_rule" in fix
    assert os.access(ROOT / DERIVED, os.R_OK)
