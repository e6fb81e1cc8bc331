"""How the checks read manifests: selectors, templates, counts, Secrets that are elsewhere."""

from pathlib import Path
from typing import Any

import pytest

from tools.manifests.checks import references_places, references_scaling
from tools.manifests.checks.references_clusters import there
from tools.manifests.checks.references_traffic import admits
from tools.manifests.model import Finding, Project, Rendered
from tools.manifests.pods import matches, replicas, unfolded, workloads
from tools.manifests.rendering import objects
from tools.manifests.stand_ins import stand_ins

from .support import overlay, project, rendered, rules

BORROWED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 0
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", ports: [{name: http, containerPort: 80}]}]}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: web}
  minReplicas: 4
  maxReplicas: 8
"""
BUDGET = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
"""
EDGE = """
apiVersion: apps.kubeedge.io/v1alpha1
kind: EdgeApplication
metadata: {name: web, namespace: shop}
spec:
  workloadTemplate:
    manifests:
      - apiVersion: v1
        kind: Pod
        metadata: {name: web, labels: {app: web}}
        spec: {containers: [{name: web, image: "web:1"}]}
"""


@pytest.mark.parametrize("place", ["dev", "staging", "production"])
def test_the_manifests_are_as_they_have_to_be(place: str) -> None:
    folder = rendered(overlay(place))
    assert not rules(project(folder)) - {"posture/exceptions"}  # that is about all folders


@pytest.mark.parametrize(
    ("selector", "taken"),
    [
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "tier": "front"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_a_selector_takes_labels_as_kubernetes_does(selector: dict[str, Any], taken: bool) -> None:
    assert matches(selector, {"app": "web"}) is taken


def test_a_rollout_has_the_pods_of_the_deployment_that_it_names() -> None:
    folder = Rendered("x", objects(BORROWED))
    deployment, rollout = workloads(folder)
    assert deployment.labels == rollout.labels == {"app": "web"}
    assert deployment.port("http") == rollout.port(80) == 80
    assert replicas(folder, rollout.manifest) == 4


@pytest.mark.parametrize(
    ("budget", "rule"),
    [
        ("maxUnavailable: 1", None),
        ("maxUnavailable: 25%", None),
        ("maxUnavailable: 0", "references/budget-deadlock"),
        ("maxUnavailable: 0%", "references/budget-deadlock"),
        ("maxUnavailable: 76%", "references/budget-empty"),  # rounded up, as Kubernetes does
        ("minAvailable: 3", None),
        ("minAvailable: 75%", None),
        ("minAvailable: 76%", "references/budget-deadlock"),
        ("minAvailable: 4", "references/budget-deadlock"),
    ],
)
def test_a_budget_is_held_against_the_fewest_pods(budget: str, rule: str | None) -> None:
    folder = Rendered("x", objects(f"{BORROWED}---{BUDGET}  {budget}\n"))
    found = [one.rule for one in references_scaling.check(Project(Path(), [folder]))]
    assert found == ([rule] if rule else [])


def test_what_an_edge_application_holds_is_looked_at_as_well() -> None:
    folder = unfolded(Rendered("x", objects(EDGE)))
    (pod,) = workloads(folder)
    assert pod.labels == {"app": "web"}
    assert pod.manifest["metadata"]["namespace"] == "shop"


def test_an_object_of_an_unknown_kind_is_left_alone() -> None:
    text = "{apiVersion: example.com/v1, kind: Thing, metadata: {name: it}, spec: {replicas: 1}}"
    own = project(Rendered("x", objects(text)))
    assert not rules(own)


def test_two_namespaces_in_one_folder_are_an_accident() -> None:
    first, second, third = objects(BORROWED)
    moved = {**third, "metadata": {"name": "web", "namespace": "other"}}
    (finding,) = references_places.check(Project(Path(), [Rendered("x", [first, second, moved])]))
    assert isinstance(finding, Finding)
    assert "'other'" in finding.message


def test_a_rule_of_a_policy_admits_ports_by_name_number_and_range() -> None:
    assert admits({}, "http", 8000)
    assert admits({"ports": [{"port": "http"}]}, "http", 8000)
    assert admits({"ports": [{"port": 8000}]}, "http", 8000)
    assert admits({"ports": [{"port": 7000, "endPort": 9000}]}, "http", 8000)
    assert not admits({"ports": [{"port": 8080}, {"port": "management"}]}, "http", 8000)


def test_a_pointer_leads_somewhere_or_not() -> None:
    one = {"spec": {"containers": [{"image": "web:1"}], "a/b": 1}}
    assert there(one, "/spec/containers/0/image")
    assert there(one, "/spec/a~1b")
    assert not there(one, "/spec/containers/1/image")
    assert not there(one, "/spec/containers/name")


def test_secrets_outside_of_git_are_known_by_their_example(tmp_path: Path) -> None:
    assert not stand_ins(tmp_path)
    file = tmp_path / "deploy" / "secret.example.env"
    file.parent.mkdir()
    file.write_text(
        "# What the Secret `one` holds:\na.b=c=d\n# a remark\n\ne=\n# Secret `two`\nf=g\n"
    )
    assert stand_ins(tmp_path) == {"one": {"a.b": "c=d", "e": ""}, "two": {"f": "g"}}
