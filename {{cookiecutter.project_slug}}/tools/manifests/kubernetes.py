"""Kubernetes' own kinds: their published schemas, and what its API server asks beyond them."""

import functools
import importlib.resources
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema.protocols import Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from .keywords import FORMATS, KubernetesValidator

Kind = tuple[str, str, str]  # group, version, kind

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
# Kinds without a namespace; the published schemas do not say it.
CLUSTER_SCOPED = frozenset(
    (
        *("APIService", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"),
        *("IngressClass", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"),
        *("MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume"),
        *("PriorityClass", "RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy"),
        *("ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration"),
    )
)
LABEL = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\Z"
KEY = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z"
DNS_LABEL = {"pattern": r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z"}
PORT = {"minimum": 1, "maximum": 65535}
PORT_NAME = {"pattern": r"^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*\Z", "maxLength": 15}
PROTOCOL = {"enum": ["TCP", "UDP", "SCTP"]}
LABELS = {
    "propertyNames": {"pattern": KEY},
    "additionalProperties": {"type": "string", "pattern": LABEL, "maxLength": 63},
}
# What has no published schema, but is refused all the same.
WHOLE: Mapping[str, Mapping[str, Any]] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer"]},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "type": ["string", "number"],
        "pattern": r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?\Z",
    },
}
FIELDS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    f"{META}.ObjectMeta": {
        "name": {"pattern": r"^[a-z0-9]([-a-z0-9.:]*[a-z0-9])?\Z", "maxLength": 253},
        "labels": LABELS,
        "annotations": {"propertyNames": {"pattern": KEY}},
    },
    f"{META}.LabelSelector": {"matchLabels": LABELS},
    f"{META}.LabelSelectorRequirement": {
        "operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]}
    },
    "io.k8s.api.core.v1.Container": {
        "name": DNS_LABEL,
        "imagePullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    },
    "io.k8s.api.core.v1.ContainerPort": {
        "name": PORT_NAME,
        "containerPort": PORT,
        "protocol": PROTOCOL,
    },
    "io.k8s.api.core.v1.HTTPGetAction": {"scheme": {"enum": ["HTTP", "HTTPS"]}},
    "io.k8s.api.core.v1.PodSecurityContext": {
        "fsGroupChangePolicy": {"enum": ["OnRootMismatch", "Always"]}
    },
    "io.k8s.api.core.v1.PodSpec": {
        "dnsPolicy": {"enum": ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]},
        "restartPolicy": {"enum": ["Always", "OnFailure", "Never"]},
    },
    "io.k8s.api.core.v1.SeccompProfile": {
        "type": {"enum": ["RuntimeDefault", "Localhost", "Unconfined"]}
    },
    "io.k8s.api.core.v1.ServicePort": {
        "name": DNS_LABEL,
        "port": PORT,
        "protocol": PROTOCOL,
    },
    "io.k8s.api.core.v1.ServiceSpec": {
        "type": {"enum": ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]},
        "selector": LABELS,
    },
    "io.k8s.api.core.v1.Toleration": {
        "effect": {"enum": ["", "NoSchedule", "PreferNoSchedule", "NoExecute"]},
        "operator": {"enum": ["", "Exists", "Equal", "Lt", "Gt"]},
    },
    "io.k8s.api.core.v1.TopologySpreadConstraint": {
        "whenUnsatisfiable": {"enum": ["DoNotSchedule", "ScheduleAnyway"]},
        "maxSkew": {"minimum": 1},
    },
    "io.k8s.api.core.v1.Volume": {"name": DNS_LABEL},
    "io.k8s.api.apps.v1.DeploymentStrategy": {"type": {"enum": ["Recreate", "RollingUpdate"]}},
    "io.k8s.api.autoscaling.v2.MetricTarget": {
        "type": {"enum": ["Utilization", "Value", "AverageValue"]}
    },
    "io.k8s.api.autoscaling.v2.HPAScalingPolicy": {
        "type": {"enum": ["Pods", "Percent"]},
        "periodSeconds": {"minimum": 1, "maximum": 1800},
    },
    "io.k8s.api.networking.v1.NetworkPolicyPort": {"protocol": PROTOCOL},
    "io.k8s.api.networking.v1.NetworkPolicySpec": {
        "policyTypes": {"items": {"enum": ["Ingress", "Egress"]}}
    },
    "io.k8s.api.policy.v1.PodDisruptionBudgetSpec": {
        "unhealthyPodEvictionPolicy": {"enum": ["AlwaysAllow", "IfHealthyBudget"]}
    },
    "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec": {
        "validationActions": {"items": {"enum": ["Audit", "Deny", "Warn"]}}
    },
}


class Schemas:
    """The kinds of one version of Kubernetes.

    Args:
        definitions: its published ones, in the strict form.
    """

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._named: dict[str, Any] = definitions["$defs"]
        self._kinds: dict[Kind, str] = {
            (one["group"], one["version"], one["kind"]): name
            for name, schema in self._named.items()
            for one in schema.get("x-kubernetes-group-version-kind", ())
        }
        for name, schema in WHOLE.items():
            self._named[name] = schema
        for name, fields in FIELDS.items():
            known = self._named.get(name, {}).get("properties", {})
            for field, more in fields.items():
                if field in known:
                    known[field] = {"allOf": [known[field], more]}
        self._uri = definitions["$id"]
        resource = Resource.from_contents(definitions, DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(self._uri, resource).crawl()

    def groups(self) -> frozenset[str]:
        """The groups of its kinds; custom resources have others."""
        return frozenset(group for group, _, _ in self._kinds)

    def versions(self, group: str, kind: str) -> Sequence[str]:
        """Those of its API that serve this kind, as `apps/v1`."""
        return [
            f"{group}/{version}" if group else version
            for other, version, name in self._kinds
            if (other, name) == (group, kind)
        ]

    @functools.cache  # noqa: B019 - lives as long as the run
    def of(self, kind: Kind) -> Validator | None:
        """What checks an object of this kind; none: there is no such kind."""
        name = self._kinds.get(kind)
        return self.named(name) if name else None

    def named(self, name: str) -> Validator:
        """What checks a part, such as `ObjectMeta`, by the full name of its definition."""
        validator: Validator = KubernetesValidator(
            {"$ref": f"{self._uri}#/$defs/{name}"},
            registry=self._registry,
            format_checker=FORMATS,
        )
        return validator


@functools.cache
def schemas(version: str) -> Schemas | None:
    """The schemas of this version, such as `1.37`; none: this installation has them not."""
    if not re.fullmatch(r"\d+\.\d+", version):
        raise ValueError(f"not a version of Kubernetes: {version}")
    folder = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema"
    file = folder / f"v{version}.0-local-strict" / "_definitions.json"
    return Schemas(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def kind_of(manifest: Mapping[str, Any]) -> Kind:
    """The group, version and kind that an object says it is."""
    group, _, version = str(manifest.get("apiVersion", "")).rpartition("/")
    return group, version, str(manifest.get("kind", ""))
