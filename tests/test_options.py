"""Many clusters and the edge: what the manifests lead to, as far as this machine tells.

`tools.manifests` checks the objects themselves; here it is what a controller would make of them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.applied import Manifest, applied, group, of_kind
from tests.rendering import rendered

PROGRESSIVE = ("none", "gateway-api", "argo-rollouts")


@pytest.fixture(params=PROGRESSIVE)
def many(request: pytest.FixtureRequest) -> Path:
    """A service in many clusters, brought there by Argo CD."""
    return rendered(gitops="argocd", multi_cluster="karmada", progressive_delivery=request.param)


def test_a_lost_cluster_leaves_a_placement_that_is_allowed(many: Path) -> None:
    objects = applied(many / "deploy" / "kustomize" / "overlays" / "multi-cluster")
    (policy,) = (one["spec"] for one in of_kind(objects, "PropagationPolicy"))
    clusters = policy["placement"]["clusterAffinity"]["clusterNames"]
    (spread,) = policy["placement"]["spreadConstraints"]
    assert spread["spreadByField"] == "cluster"
    assert 1 < spread["minGroups"] < len(clusters)
    # Each kind is placed for itself: with fewer, a Service may be where the pods are not.
    assert spread["maxGroups"] == len(clusters)


def test_a_lost_cluster_is_tainted_and_not_tolerated_for_ever(many: Path) -> None:
    objects = applied(many / "deploy" / "kustomize" / "overlays" / "multi-cluster")
    (policy,) = (one["spec"] for one in of_kind(objects, "PropagationPolicy"))
    (taints,) = (one["spec"] for one in of_kind(objects, "ClusterTaintPolicy"))
    assert (
        taints["targetClusters"]["clusterNames"]
        == policy["placement"]["clusterAffinity"]["clusterNames"]
    )
    assert [one["effect"] for one in taints["taints"]] == ["NoExecute"]
    for condition in taints["addOnConditions"]:
        statuses = {"True", "False", "Unknown"}
        values = set(condition["statusValues"])
        assert (values if condition["operator"] == "In" else statuses - values) == {
            "False",
            "Unknown",
        }
    tolerated = {one["key"]: one for one in policy["placement"]["clusterTolerations"]}
    for taint in taints["taints"]:
        assert tolerated[taint["key"]]["effect"] == taint["effect"]
        assert 0 < tolerated[taint["key"]]["tolerationSeconds"] <= 300
    # Karmada refuses the one without the other.
    assert policy["failover"]["application"]
    assert policy["propagateDeps"] is True


def test_one_autoscaler_counts_for_all_clusters(many: Path) -> None:
    overlays = many / "deploy" / "kustomize" / "overlays"
    objects, production = applied(overlays / "multi-cluster"), applied(overlays / "production")
    assert not of_kind(objects, "HorizontalPodAutoscaler")
    (ours,) = of_kind(objects, "FederatedHPA")
    (theirs,) = of_kind(production, "HorizontalPodAutoscaler")
    for key in ("minReplicas", "maxReplicas", "metrics", "behavior"):
        assert ours["spec"][key] == theirs["spec"][key]
    target = ours["spec"]["scaleTargetRef"]
    assert (target["apiVersion"], target["kind"]) == ("apps/v1", "Deployment")
    (deployment,) = of_kind(objects, "Deployment")
    assert deployment["metadata"]["name"] == target["name"]
    assert "replicas" not in deployment["spec"]
    (policy,) = (one["spec"] for one in of_kind(objects, "PropagationPolicy"))
    assert policy["placement"]["replicaScheduling"]["replicaSchedulingType"] == "Divided"


def test_no_controller_of_a_member_changes_what_karmada_writes(many: Path) -> None:
    objects = applied(many / "deploy" / "kustomize" / "overlays" / "multi-cluster")
    assert not [one for one in objects if group(one) == "argoproj.io"]
    names = {one["metadata"]["name"] for one in of_kind(objects, "Service")}
    for route in of_kind(objects, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            assert {ref["name"] for ref in rule["backendRefs"]} <= names


def test_a_mirror_is_named_for_every_container(many: Path) -> None:
    objects = applied(many / "deploy" / "kustomize" / "overlays" / "multi-cluster")
    (deployment,) = of_kind(objects, "Deployment")
    for policy in of_kind(objects, "OverridePolicy"):
        for rule in policy["spec"]["overrideRules"]:
            overriders = rule["overriders"].get("imageOverrider")
            if overriders:
                named = {one["predicate"]["path"] for one in overriders}
                assert named == set(images(deployment))


def images(deployment: Manifest) -> Iterator[str]:
    """The JSON pointers of all images of a Deployment."""
    pod = deployment["spec"]["template"]["spec"]
    for key in ("initContainers", "containers"):
        for number, _ in enumerate(pod.get(key, ())):
            yield f"/spec/template/spec/{key}/{number}/image"


@pytest.fixture(params=["sql", "none"])
def sites(request: pytest.FixtureRequest) -> Path:
    """A service on many sites of KubeEdge's."""
    return rendered(edge="kubeedge", config_center="etcd", database=request.param)


def test_every_site_gets_the_pod_of_the_edge_overlay(sites: Path) -> None:
    overlays = sites / "deploy" / "kustomize" / "overlays"
    (single,) = of_kind(applied(overlays / "edge"), "Deployment")
    objects = applied(overlays / "edge-sites")
    assert not of_kind(objects, "Deployment")
    (application,) = of_kind(objects, "EdgeApplication")
    (template,) = application["spec"]["workloadTemplate"]["manifests"]
    # KubeEdge puts it where it says, and nowhere if it says nothing.
    assert template["metadata"]["namespace"] == application["metadata"]["namespace"]
    here, there = (one["spec"]["template"]["spec"] for one in (single, template))
    for key in ("securityContext", "tolerations", "terminationGracePeriodSeconds"):
        assert here[key] == there[key]
    assert [one["image"] for one in here["containers"]] == [
        one["image"] for one in there["containers"]
    ]
    groups = {one["metadata"]["name"] for one in of_kind(objects, "NodeGroup")}
    scope = application["spec"]["workloadScope"]["targetNodeGroups"]
    assert {one["name"] for one in scope} == groups
    for target in scope:
        overriders = target["overriders"].get("imageOverriders")
        if overriders:
            assert {one["predicate"]["path"] for one in overriders} == set(images(template))


def test_no_site_shares_a_volume_with_another(sites: Path) -> None:
    objects = applied(sites / "deploy" / "kustomize" / "overlays" / "edge-sites")
    for kind in ("PersistentVolume", "PersistentVolumeClaim", "StorageClass"):
        assert not of_kind(objects, kind)
    (application,) = of_kind(objects, "EdgeApplication")
    (template,) = application["spec"]["workloadTemplate"]["manifests"]
    pod = template["spec"]["template"]["spec"]
    assert not [one for one in pod["volumes"] if "persistentVolumeClaim" in one]
    for container in [*pod.get("initContainers", ()), *pod["containers"]]:
        for entry in container["env"]:
            assert not str(entry.get("value", "")).startswith("sqlite")
            # Where it overrides the environment, KubeEdge loses a source without its version.
            if container["name"] == "service" and "valueFrom" in entry:
                assert entry["valueFrom"]["fieldRef"]["apiVersion"] == "v1"


@pytest.mark.parametrize("edge", ["k3s", "kubeedge"])
@pytest.mark.parametrize("database", ["sql", "none"])
def test_a_node_nobody_sees_keeps_its_pod(edge: str, database: str) -> None:
    service = rendered(edge=edge, database=database)
    objects = applied(service / "deploy" / "kustomize" / "overlays" / "edge")
    # A cluster at the edge has no Prometheus operator, and one pod nothing to scale or to spare.
    kinds = {one["kind"] for one in objects}
    assert not kinds & {"HorizontalPodAutoscaler", "PodDisruptionBudget", "ServiceMonitor"}
    (deployment,) = of_kind(objects, "Deployment")
    assert deployment["spec"]["replicas"] == 1
    pod = deployment["spec"]["template"]["spec"]
    tolerated = {one["key"]: one for one in pod["tolerations"] if one["effect"] == "NoExecute"}
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        assert "tolerationSeconds" not in tolerated[key]
    claims = [one for one in pod["volumes"] if "persistentVolumeClaim" in one]
    assert bool(claims) is (database == "sql")
    assert (deployment["spec"]["strategy"].get("type") == "Recreate") is bool(claims)
    assert {one["imagePullPolicy"] for one in pod["containers"]} == {"IfNotPresent"}
    assert not [one for one in pod["containers"][0]["env"] if one["name"].startswith("OTEL_EXP")]
