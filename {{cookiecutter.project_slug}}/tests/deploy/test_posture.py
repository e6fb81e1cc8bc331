"""Each rule of `make manifests` about posture finds the mistake that it is for, and no other."""

from typing import Any

import pytest

from tools.manifests import pod_security
from tools.manifests.checks.posture import RULES, check
from tools.manifests.exceptions import PREFIX
from tools.manifests.model import Rendered

from .changed import GONE, Change, changed, production, project, put, rendered, rules

POD = "spec.template.spec"
FIRST = f"{POD}.containers.0"
SECURITY = f"{FIRST}.securityContext"
REASON = "this is the reason of a test"


def deployment(path: str, value: Any) -> Change:
    return put("Deployment", path, value)


def without(kind: str) -> Change:
    def change(objects: list[Any]) -> None:
        objects[:] = [one for one in objects if one["kind"] != kind]

    return change


def autoscaled(objects: list[Any]) -> None:
    [scaler] = [one for one in objects if one["kind"] == "HorizontalPodAutoscaler"]
    put(scaler["spec"]["scaleTargetRef"]["kind"], "spec.replicas", 3)(objects)


def rollout(objects: list[Any]) -> None:
    put("Deployment", "spec.replicas", 3)(objects)
    [deployment] = [one for one in objects if one["kind"] == "Deployment"]
    objects.append(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": dict(deployment["metadata"]),
            "spec": {"workloadRef": {"kind": "Deployment", "name": deployment["metadata"]["name"]}},
        }
    )


MISTAKES: list[tuple[str, Change]] = [
    ("host-namespaces", deployment(f"{POD}.hostNetwork", True)),
    ("host-namespaces", deployment(f"{POD}.hostPID", True)),
    ("volume-types", deployment(f"{POD}.volumes.+", {"name": "x", "hostPath": {"path": "/"}})),
    ("sysctls", deployment(f"{POD}.securityContext.sysctls", [{"name": "kernel.msgmax"}])),
    ("windows", deployment(f"{POD}.securityContext.windowsOptions", {"hostProcess": True})),
    ("selinux", deployment(f"{SECURITY}.seLinuxOptions", {"role": "sysadm_r"})),
    ("apparmor", deployment(f"{SECURITY}.appArmorProfile", {"type": "Unconfined"})),
    ("privileged", deployment(f"{SECURITY}.privileged", True)),
    ("escalation", deployment(f"{SECURITY}.allowPrivilegeEscalation", GONE)),
    ("capabilities", deployment(f"{SECURITY}.capabilities.drop", ["NET_RAW"])),
    ("capabilities", deployment(f"{SECURITY}.capabilities.add", ["SYS_ADMIN"])),
    ("host-ports", deployment(f"{FIRST}.ports.0.hostPort", 80)),
    ("proc-mount", deployment(f"{SECURITY}.procMount", "Unmasked")),
    ("handler-hosts", deployment(f"{FIRST}.livenessProbe.httpGet.host", "169.254.169.254")),
    ("non-root", deployment(f"{POD}.securityContext.runAsNonRoot", GONE)),
    ("non-root", deployment(f"{SECURITY}.runAsNonRoot", False)),
    ("user", deployment(f"{SECURITY}.runAsUser", 0)),
    ("seccomp", deployment(f"{POD}.securityContext.seccompProfile", GONE)),
    ("seccomp", deployment(f"{SECURITY}.seccompProfile", {"type": "Unconfined"})),
    ("token", deployment(f"{POD}.automountServiceAccountToken", GONE)),
    ("token", deployment(f"{POD}.serviceAccountName", "default")),
    ("service-links", deployment(f"{POD}.enableServiceLinks", GONE)),
    ("restart", deployment(f"{POD}.restartPolicy", "Never")),
    ("read-only-root", deployment(f"{SECURITY}.readOnlyRootFilesystem", False)),
    ("memory", deployment(f"{FIRST}.resources.limits.memory", "64Gi")),
    ("memory", deployment(f"{FIRST}.resources.requests.memory", GONE)),
    ("cpu", deployment(f"{FIRST}.resources.requests.cpu", GONE)),
    ("cpu", deployment(f"{FIRST}.resources.limits.cpu", "500m")),
    ("ephemeral-storage", deployment(f"{FIRST}.resources.limits.ephemeral-storage", GONE)),
    ("image", deployment(f"{FIRST}.image", "registry.example.com:5000/orders")),
    ("image", deployment(f"{FIRST}.image", "orders:latest")),
    ("secrets", deployment(f"{FIRST}.envFrom", [{"secretRef": {"name": "orders"}}])),
    ("probes", deployment(f"{FIRST}.readinessProbe", GONE)),
    ("probes", deployment(f"{FIRST}.livenessProbe.httpGet.port", "http")),
    ("probes", deployment(f"{FIRST}.startupProbe.failureThreshold", 3)),
    ("probes", deployment(f"{FIRST}.livenessProbe.httpGet.path", "/readyz")),
    ("whole-mounts", deployment(f"{FIRST}.volumeMounts.0.subPath", "log.level")),
    ("autoscaled", autoscaled),
    ("lent-template", rollout),
    ("network", without("NetworkPolicy")),
    ("network", put("NetworkPolicy", "spec.policyTypes", ["Ingress"])),
    ("disruption", without("PodDisruptionBudget")),
    ("disruption", put("PodDisruptionBudget", "spec", {"minAvailable": 2, "selector": {}})),
    ("disruption", put("PodDisruptionBudget", "spec.minAvailable", 1)),
    ("disruption", put("PodDisruptionBudget", "spec.unhealthyPodEvictionPolicy", GONE)),
    ("spread", deployment(f"{POD}.topologySpreadConstraints", GONE)),
    ("rolling", deployment("spec.strategy.rollingUpdate.maxUnavailable", "25%")),
    ("rolling", deployment(f"{POD}.volumes.+", {"name": "x", "persistentVolumeClaim": {}})),
    ("inside", put("Service", "spec.type", "NodePort")),
    ("account", put("ServiceAccount", "automountServiceAccountToken", GONE)),
    ("restricted-namespace", put("Namespace", "metadata.labels", {})),
    ("restricted-namespace", without("Namespace")),
]


def test_the_manifests_of_this_service_break_no_rule() -> None:
    assert list(check(project(*rendered()))) == []


@pytest.mark.parametrize(("rule", "mistake"), MISTAKES, ids=[rule for rule, _ in MISTAKES])
def test_a_mistake_is_found(rule: str, mistake: Change) -> None:
    assert f"posture/{rule}" in rules(list(check(changed(mistake))))


def test_there_is_a_mistake_for_each_rule() -> None:
    controls = (
        *pod_security.POD,
        *pod_security.EITHER,
        *pod_security.CONTAINER,
        *pod_security.INHERITED,
    )
    names = {control.__name__.replace("_", "-") for control in controls}
    assert {rule for rule, _ in MISTAKES} == RULES | names


def excepted(rule: str, reason: str) -> Change:
    def change(objects: list[Any]) -> None:
        [one] = [one for one in objects if one["kind"] == "Deployment"]
        one["metadata"].setdefault("annotations", {})[f"{PREFIX}{rule}"] = reason

    return change


def test_an_exception_with_a_reason_is_none_of_the_findings() -> None:
    mistake = deployment(f"{FIRST}.resources.limits.cpu", "500m")
    assert list(check(changed(mistake, excepted("cpu", REASON)))) == []


@pytest.mark.parametrize(
    ("rule", "reason", "said"),
    [
        ("cpu", "todo", "gives no reason"),
        ("memory", REASON, "memory holds"),
        ("nonsense", REASON, "no rule that has exceptions"),
        ("privileged", REASON, "no rule that has exceptions"),
    ],
)
def test_an_exception_has_to_be_needed_and_explained(rule: str, reason: str, said: str) -> None:
    mistake = deployment(f"{FIRST}.resources.limits.cpu", "500m")
    findings = list(check(changed(mistake, excepted(rule, reason))))
    assert any(one.rule == "posture/exceptions" and said in one.message for one in findings)


def test_an_exception_that_one_overlay_needs_may_be_inherited_by_the_others() -> None:
    needs = changed(
        deployment(f"{FIRST}.resources.limits.cpu", "500m"), excepted("cpu", REASON)
    ).rendered[0]
    inherits = changed(excepted("cpu", REASON)).rendered[0]
    assert list(check(project(needs, Rendered("another", inherits.objects)))) == []


def test_no_reason_gets_a_privileged_pod_through() -> None:
    found = changed(deployment(f"{SECURITY}.privileged", True), excepted("privileged", REASON))
    assert "posture/privileged" in rules(list(check(found)))


def test_a_digest_is_as_good_as_a_tag() -> None:
    image = f"registry.example.com:5000/orders@sha256:{'0' * 64}"
    assert list(check(changed(deployment(f"{FIRST}.image", image)))) == []


def test_jobs_need_no_probes() -> None:
    found = production()
    pod = next(found.of_kind("Deployment"))["spec"]["template"]
    containers = [
        {key: value for key, value in one.items() if not key.endswith("Probe")}
        for one in pod["spec"]["containers"]
    ]
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once", "namespace": found.objects[1]["metadata"].get("namespace")},
        "spec": {"template": {**pod, "spec": {**pod["spec"], "containers": containers}}},
    }
    assert "posture/probes" not in rules(list(check(changed(lambda all_: all_.append(job)))))
