"""Objects are held to the schemas of their kinds as strictly as an API server does it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.manifests.checks.schemas import check
from tools.manifests.model import Finding, Manifest, Project, Rendered, Skipped
from tools.manifests.rendering import read_crds

from .changed import GONE, changed, project, put, rendered, rules

POD = "spec.template.spec"
FIRST = f"{POD}.containers.0"
MISTAKES: list[tuple[str, str, str, Any]] = [
    # kind, path, what is said, value
    ("Deployment", f"{POD}.containrs", "did|`containers` is one", []),
    ("Deployment", f"{FIRST}.resources.limit", "limit; `limits` is one", {}),
    ("Deployment", f"{POD}.terminationGracePeriodSeconds", "is not of type", "25s"),
    ("Deployment", f"{FIRST}.resources.limits.memory", "does not match", "256MB"),
    ("Deployment", f"{FIRST}.imagePullPolicy", "is not one of", "Sometimes"),
    ("Deployment", f"{FIRST}.ports.0.containerPort", "65535", 70000),
    ("Deployment", f"{FIRST}.ports.0.name", "too long", "a-port-with-a-long-name"),
    ("Deployment", f"{FIRST}.env.+", "a second one with name", {"name": "APP_ENVIRONMENT"}),
    ("Deployment", f"{FIRST}.env.+", "is not of type", {"name": "PORT", "value": 8000}),
    ("Deployment", f"{FIRST}.name", "does not match", "The_Service"),
    ("Deployment", "spec.selector", "required", GONE),
    ("Deployment", "spec.template.metadata.labels.version", "is not of type", 1.0),
    ("Deployment", "metadata.annotations.two words", "does not match", "x"),
    ("Deployment", "metadata.name", "metadata.name", GONE),
    ("Deployment", "apiVersion", "served as apps/v1", "apps/v1beta1"),
    ("HorizontalPodAutoscaler", "apiVersion", "autoscaling/v2beta2 has no", "autoscaling/v2beta2"),
    ("PodDisruptionBudget", "spec.unhealthyPodEvictionPolicy", "is not one of", "Always"),
    ("NetworkPolicy", "spec.policyTypes", "is not one of", ["ingress"]),
    ("Namespace", "metadata.namespace", "has no namespaces", "orders"),
    ("ConfigMap", "data.flag", "is not of type", True),
]


def said(project: Project) -> str:
    return "\n".join(map(str, check(project)))


def test_the_manifests_of_this_service_keep_to_their_schemas() -> None:
    assert not [one for one in check(project(*rendered())) if isinstance(one, Finding)]


@pytest.mark.parametrize(
    ("kind", "path", "expected", "value"),
    MISTAKES,
    ids=[f"{kind}.{path}" for kind, path, *_ in MISTAKES],
)
def test_a_mistake_is_found_by_its_path(kind: str, path: str, expected: str, value: Any) -> None:
    text = said(changed(put(kind, path, value)))
    assert f"{kind}/" in text
    assert expected.rpartition("|")[2] in text


def test_a_field_that_one_version_lacks_is_said_with_the_versions() -> None:
    group = {
        "apiVersion": "scheduling.k8s.io/v1beta1",
        "kind": "CompositePodGroup",
        "metadata": {"name": "x", "namespace": "x"},
        "spec": {},
    }
    text = said(project(Rendered("x", [group])))
    assert "(Kubernetes 1.35, 1.36)" in text


def test_null_is_a_field_that_is_not_there() -> None:
    assert not rules(list(check(changed(put("Deployment", f"{POD}.nodeName", None)))))


def test_a_second_object_of_a_name_is_found() -> None:
    def twice(objects: list[Any]) -> None:
        objects.append(next(one for one in objects if one["kind"] == "Service"))

    assert "schemas/duplicate-object" in rules(list(check(changed(twice))))


def test_a_version_without_schemas_is_said_to_be_unchecked() -> None:
    found = list(check(Project(Path(), (), (), ("1.35", "9.99"))))
    assert [one.check for one in found if isinstance(one, Skipped)] == [
        "schemas of Kubernetes 9.99"
    ]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: 1\nb: {c: 1, c: 2}\n", "schemas/duplicate-key"),
        ("a: 1\n---\nb:\n  - {x: 1}\n  - x: 1\n    x: 2\n", "schemas/duplicate-key"),
        ("a: [1\n", "schemas/yaml"),
    ],
)
def test_sources_are_read_as_they_were_written(tmp_path: Path, text: str, rule: str) -> None:
    tmp_path.joinpath("deploy").mkdir()
    tmp_path.joinpath("deploy", "x.yaml").write_text(text, "utf-8")
    assert rules(list(check(Project(tmp_path, ())))) == {rule}


WIDGETS = """
kind: List
items:
  - apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: widgets.example.com}
    spec:
      group: example.com
      scope: Namespaced
      names: {kind: Widget, plural: widgets}
      versions:
        - {name: v1beta1, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}
        - name: v1alpha1
          served: true
          storage: false
          deprecated: true
          schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
        - name: v1
          served: true
          storage: true
          schema:
            openAPIV3Schema:
              type: object
              required: [spec]
              properties:
                apiVersion: {type: string}
                kind: {type: string}
                metadata: {type: object}
                spec:
                  type: object
                  required: [size]
                  properties:
                    size: {type: integer, format: int32, minimum: 0, exclusiveMinimum: true}
                    port:
                      x-kubernetes-int-or-string: true
                      anyOf: [{type: integer}, {type: string}]
                    mode: {type: string, enum: [fast, slow], nullable: true}
                    name: {type: string, pattern: '^[a-z]+$'}
                    free: {type: object, x-kubernetes-preserve-unknown-fields: true}
                    labels: {type: object, additionalProperties: {type: string}}
                    pod: {type: object, x-kubernetes-embedded-resource: true,
                          x-kubernetes-preserve-unknown-fields: true}
                    parts:
                      type: array
                      x-kubernetes-list-type: map
                      x-kubernetes-list-map-keys: [id]
                      items: {type: object, properties: {id: {type: string}}}
                    tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
"""


def widgets(tmp_path: Path, spec: Mapping[str, Any], **fields: Any) -> Project:
    tmp_path.joinpath("widgets.yaml").write_text(WIDGETS, "utf-8")
    widget: Manifest = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "one", "namespace": "x"},
        "spec": spec,
        **fields,
    }
    here = Rendered("x", [widget])
    return project(here, crds=read_crds([tmp_path], [here]))


def test_a_custom_resource_may_be_all_that_its_definition_allows(tmp_path: Path) -> None:
    spec = {
        "size": 1,
        "port": "http",
        "mode": None,
        "free": {"anything": [1]},
        "labels": {"a": "b"},
        "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {}},
        "parts": [{"id": "a"}, {"id": "b"}],
        "tags": ["a", "b"],
    }
    assert said(widgets(tmp_path, spec)) == ""
    assert said(widgets(tmp_path, {"size": 1, "port": 80})) == ""


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"size": 1, "sizes": 2}, "there is no field spec.sizes; `size` is one"),
        ({}, "'size' is a required property"),
        ({"size": "1"}, "spec.size: '1' is not of type 'integer'"),
        ({"size": 0}, "spec.size"),
        ({"size": 2**31}, "spec.size"),
        ({"size": 1, "port": 1.5}, "spec.port"),
        ({"size": 1, "mode": "quick"}, "spec.mode"),
        ({"size": 1, "name": None}, "spec.name"),
        ({"size": 1, "name": "A"}, "spec.name"),
        ({"size": 1, "labels": {"a": 1}}, "spec.labels.a"),
        ({"size": 1, "parts": [{"id": "a"}, {"id": "a"}]}, "spec.parts[1]: a second one with id"),
        ({"size": 1, "parts": [{"ids": "a"}]}, "spec.parts[0].ids"),
        ({"size": 1, "tags": ["a", "a"]}, "spec.tags[1]: a second 'a'"),
    ],
)
def test_a_custom_resource_is_held_to_its_definition(
    tmp_path: Path, spec: Mapping[str, Any], expected: str
) -> None:
    assert expected in said(widgets(tmp_path, spec))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"apiVersion": "example.com/v2"}, "it is served as example.com/v1"),
        ({"apiVersion": "example.com/v1beta1"}, "it is served as example.com/v1"),
        ({"apiVersion": "example.com/v1alpha1"}, "is deprecated"),
        ({"extra": 1}, "there is no field extra"),
        ({"metadata": {"name": "x", "label": {}}}, "`labels` is one"),
        ({"metadata": {"namespace": "x"}}, "metadata.name is missing"),
    ],
)
def test_so_is_all_that_surrounds_it(
    tmp_path: Path, fields: Mapping[str, Any], expected: str
) -> None:
    assert expected in said(widgets(tmp_path, {"size": 1}, **fields))


def test_without_a_definition_the_kind_is_named_as_unchecked(tmp_path: Path) -> None:
    here = widgets(tmp_path, {"nonsense": 1})
    [gap] = check(project(*here.rendered))
    assert isinstance(gap, Skipped)
    assert "Widget.example.com" in gap.check


def test_definitions_of_other_kinds_are_not_read(tmp_path: Path) -> None:
    tmp_path.joinpath("w.yaml").write_text(WIDGETS, "utf-8")
    other = Rendered("x", [{"kind": "Gadget"}])
    assert read_crds([tmp_path], [other]) == []
    assert len(read_crds([tmp_path])) == 1
    assert yaml.safe_load(WIDGETS)["kind"] == "List"
