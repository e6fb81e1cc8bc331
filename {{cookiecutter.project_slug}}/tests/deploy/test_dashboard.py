"""Dashboard and rules ask for what the service shows, and Prometheus answers them."""

from collections.abc import AsyncIterator

import pytest

from tools.manifests.observability import (
    Query,
    grouped_by,
    panel_queries,
    recorded,
    rule_queries,
    selectors,
)
from tools.package import ROOT

from ..support.process import Process, until
from .monitored import Prometheus, eventful_service, exposed

# What Prometheus adds to every series of ours, and what rules leave of that.
TARGET = frozenset({"job", "namespace", "pod", "instance"})
RECORDED = frozenset({"job", "namespace", "slo"})
# Of others, with the labels that are asked for.
ELSEWHERE = {
    "up": TARGET,
    "kube_pod_container_status_restarts_total": frozenset({"namespace", "pod", "container"}),
    "kube_pod_container_resource_limits": frozenset({"namespace", "pod", "container", "resource"}),
}


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Process]:
    """A process that has something to show for every panel."""
    async with eventful_service(tmp_path_factory.mktemp("monitored")) as process:
        yield process


@pytest.fixture(scope="module")
async def prometheus(
    tmp_path_factory: pytest.TempPathFactory, service: Process
) -> AsyncIterator[Prometheus]:
    """It has scraped the service and recorded what the rules say."""
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), service.ops_url)
    try:
        await server.start()
        yield server
    finally:
        server.stop()


def _queries() -> list[Query]:
    return [*panel_queries(ROOT), *rule_queries(ROOT)]


async def test_every_metric_and_label_that_is_asked_for_is_shown(service: Process) -> None:
    shown = {name: labels | TARGET for name, labels in (await exposed(service)).items()}
    shown |= dict.fromkeys(recorded(ROOT), RECORDED) | ELSEWHERE
    wrong = []
    for query in _queries():
        metrics = {selector.metric for selector in selectors(query.expr)}
        for metric, labels in selectors(query.expr):
            missing = labels - shown.get(metric, frozenset())
            if metric not in shown or missing:
                wrong.append(f"{query.where}: {metric} {sorted(missing)}")
        known = frozenset().union(*(shown.get(metric, frozenset()) for metric in metrics))
        if groups := grouped_by(query.expr) - known:
            wrong.append(f"{query.where}: by {sorted(groups)}")
    assert not wrong


async def test_what_is_shown_is_used(service: Process) -> None:
    """A metric that nobody looks at is either missing on the dashboard or not worth its cost."""
    used = {selector.metric for query in _queries() for selector in selectors(query.expr)}
    ours = {name for name in await exposed(service) if not name.startswith(("python_", "process_"))}
    ours -= {name for name in ours if name.endswith(("_created", "_sum", "_count", "_bucket"))}
    assert ours <= used


async def test_prometheus_has_an_answer_to_every_panel(prometheus: Prometheus) -> None:
    asked = [q for q in panel_queries(ROOT) if not _needs_a_cluster(q)]
    assert len(asked) > 40

    def silent() -> list[str]:
        return [f"{q.where}: {q.expr}" for q in asked if not prometheus.result(q.expr)]

    try:
        await until(lambda: not silent())
    except TimeoutError:
        pytest.fail("\n".join(silent()))


def _needs_a_cluster(query: Query) -> bool:
    return any(one.metric.startswith("kube_") for one in selectors(query.expr))


async def test_prometheus_evaluates_every_rule_and_nobody_is_woken(prometheus: Prometheus) -> None:
    def rules() -> list[dict[str, str]]:
        return [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]

    await until(lambda: all(rule["health"] != "unknown" for rule in rules()))
    assert len(rules()) == len(list(rule_queries(ROOT)))
    assert [rule["lastError"] for rule in rules() if rule["health"] != "ok"] == []
    firing = {rule["name"] for rule in rules() if rule.get("state") == "firing"}
    # The setting that was refused, and no other: what has happened to it took a second.
    assert firing <= {"ConfigurationRefused"}
