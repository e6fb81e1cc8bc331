"""The dry run by a real API server: skipped without one, and what it refuses is found."""

import os
from pathlib import Path

import pytest

from tools.manifests.checks.cluster import check
from tools.manifests.model import Finding, Skipped

from ..support.process import free_port
from ..support.server import program
from .changed import changed, project, put, rendered

NOWHERE = """
apiVersion: v1
kind: Config
current-context: x
contexts: [{name: x, context: {cluster: x, user: x}}]
clusters: [{name: x, cluster: {server: "https://127.0.0.1:%d"}}]
users: [{name: x, user: {}}]
"""


@pytest.fixture
def server() -> None:
    """A server that answers: the one that KUBECONFIG names."""
    program("kubectl", "REQUIRE_KUBECTL")
    if not os.environ.get("KUBECONFIG"):
        if os.environ.get("REQUIRE_CLUSTER") == "1":
            pytest.fail("REQUIRE_CLUSTER=1, and KUBECONFIG is not set")
        pytest.skip("KUBECONFIG is not set")


def test_without_a_configuration_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    [gap] = check(project())
    assert isinstance(gap, Skipped)
    assert "KUBECONFIG is not set" in gap.reason


def test_a_server_that_does_not_answer_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program("kubectl", "REQUIRE_KUBECTL")
    tmp_path.joinpath("config").write_text(NOWHERE % free_port(), "utf-8")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    [gap] = check(project())
    assert isinstance(gap, Skipped)
    assert "no server answers" in gap.reason


def test_the_server_takes_the_manifests_of_this_service(server: None) -> None:
    assert not [one for one in check(project(*rendered())) if isinstance(one, Finding)]


def test_an_api_that_the_server_no_longer_has_is_found(server: None) -> None:
    mistake = put("HorizontalPodAutoscaler", "apiVersion", "autoscaling/v2beta2")
    assert [one for one in check(changed(mistake)) if isinstance(one, Finding)]


def test_what_the_server_refuses_is_found(server: None) -> None:
    # No schema says this: the server compares the two.
    mistake = put("Deployment", "spec.selector.matchLabels", {"app": "another"})
    [found] = [one for one in check(changed(mistake)) if isinstance(one, Finding)]
    assert "Deployment/" in found.where
    assert "selector" in found.message
