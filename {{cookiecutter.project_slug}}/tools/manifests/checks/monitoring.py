"""What watches the service: rules, their tests, dashboard and runbook hold together."""

import shutil
import subprocess
from collections.abc import Iterator

from ..model import Finding, Project, Skipped
from ..observability import DASHBOARD, RUNBOOK, alerts, anchors, panel_queries, panels, selectors
from ..prometheus_rule import DERIVED, SOURCE, expected

SEVERITIES = ("page", "ticket")
ANNOTATIONS = ("summary", "description", "runbook_url")


def check(project: Project) -> Iterator[Finding | Skipped]:
    """Every finding names the file to change."""
    yield from _derived(project)
    yield from _alerts(project)
    yield from _dashboard(project)
    yield from _promtool(project)


def _derived(project: Project) -> Iterator[Finding]:
    if project.root.joinpath(DERIVED).read_text(encoding="utf-8") != expected(project.root):
        message = f"is not what {SOURCE} gives; run: make fix"
        yield Finding(DERIVED, "monitoring/derived", message)


def _alerts(project: Project) -> Iterator[Finding]:
    sections, linked = anchors(project.root), set[str]()
    for alert in alerts(project.root):
        where = f"{SOURCE}: {alert['alert']}"
        if alert.get("labels", {}).get("severity") not in SEVERITIES:
            message = f"severity must be one of {', '.join(SEVERITIES)}"
            yield Finding(where, "monitoring/severity", message)
        said = alert.get("annotations", {})
        for name in ANNOTATIONS:
            if not said.get(name):
                yield Finding(where, "monitoring/annotations", f"has no {name}")
        address, _, anchor = said.get("runbook_url", "").partition("#")
        linked.add(anchor)
        if not address.endswith(f"/{RUNBOOK}") or anchor not in sections:
            message = f"runbook_url must end with {RUNBOOK}# and a section that is there"
            yield Finding(where, "monitoring/runbook", message)
    for section in sections:
        if section not in linked:
            yield Finding(f"{RUNBOOK}: {section}", "monitoring/runbook", "no alert leads here")


def _dashboard(project: Project) -> Iterator[Finding]:
    numbers = [panel["id"] for panel in panels(project.root)]
    if len(numbers) != len(set(numbers)):
        yield Finding(DASHBOARD, "monitoring/panels", "two panels have the same id")
    for query in panel_queries(project.root):
        try:
            selectors(query.expr)
        except ValueError as exc:
            yield Finding(f"{DASHBOARD}: {query.where}", "monitoring/promql", str(exc))


def _promtool(project: Project) -> Iterator[Finding | Skipped]:
    promtool = shutil.which("promtool")
    if promtool is None:
        yield Skipped("rules and their tests", "no promtool is installed")
        return
    folder = project.root / "observability"
    tests = sorted(path.name for path in folder.glob("*.test.yaml"))
    config = "../deploy/compose/prometheus.yaml"
    for words in (
        ["check", "rules", "rules.yaml"],
        ["check", "config", "--syntax-only", config],
        ["test", "rules", *tests],
    ):
        done = subprocess.run(  # noqa: S603
            [promtool, *words], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = " ".join((done.stdout + done.stderr).split())
            rule = "monitoring/" + "-".join(words[:2])
            yield Finding(f"observability: promtool {words[0]} {words[1]}", rule, said[:1000])
