"""Argo CD: what its controllers would make of the manifests, as far as this machine tells."""

import copy
import functools
import itertools
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.applied import Manifest, applied, group, needed, of_kind
from tests.rendering import rendered

CLUSTER_WIDE = {"Namespace", "ClusterTaintPolicy"}
PROGRESSIVE = ("none", "gateway-api", "argo-rollouts")

# What Argo CD's ApplicationSet controller does with a template, less the functions that ours do
# not call: text/template with the options asked for, once for each element.
GO = """
package main

import (
	"encoding/json"
	"os"
	"text/template"
)

func main() {
	var in struct {
		Options   []string
		Templates []string
		Elements  []map[string]any
	}
	check(json.NewDecoder(os.Stdin).Decode(&in))
	out := [][]string{}
	for _, element := range in.Elements {
		row := []string{}
		for _, text := range in.Templates {
			parsed, err := template.New("").Option(in.Options...).Parse(text)
			check(err)
			file, err := os.CreateTemp("", "")
			check(err)
			check(parsed.Execute(file, element))
			made, err := os.ReadFile(file.Name())
			check(err)
			row = append(row, string(made))
		}
		out = append(out, row)
	}
	check(json.NewEncoder(os.Stdout).Encode(out))
}

func check(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
}
"""


@functools.cache
def _program() -> Path:
    go, folder = needed("go"), Path(tempfile.mkdtemp())
    folder.joinpath("main.go").write_text(GO, encoding="utf-8")
    command = [go, "build", "-o", "templates", "main.go"]
    subprocess.run(command, cwd=folder, check=True, env=os.environ | {"GO111MODULE": "off"})
    return folder / "templates"


def executed(spec: Mapping[str, Any], elements: Sequence[Mapping[str, Any]]) -> list[Manifest]:
    """The Applications that an ApplicationSet's templates give.

    Raises:
        ValueError: a template cannot be executed; the message is Go's.
    """
    asked = {
        "Options": spec["goTemplateOptions"],
        "Templates": [json.dumps(spec["template"]), spec["templatePatch"]],
        "Elements": elements,
    }
    done = subprocess.run(
        [_program()], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ValueError(done.stderr)
    made = []
    for text, patch in json.loads(done.stdout):
        application = json.loads(text)
        policy = yaml.safe_load(patch)["spec"]["syncPolicy"]
        application["spec"]["syncPolicy"] |= policy
        made.append(application)
    return made


@pytest.fixture(params=PROGRESSIVE)
def one(request: pytest.FixtureRequest) -> Path:
    """A service in one cluster, brought there by Argo CD."""
    return rendered(gitops="argocd", progressive_delivery=request.param)


@pytest.fixture(params=itertools.product(("none", "karmada"), PROGRESSIVE), ids="-".join)
def followed(request: pytest.FixtureRequest) -> Path:
    """A service that Argo CD brings to one cluster, or to many."""
    clusters, progressive = request.param
    if clusters == "none":
        return rendered(gitops="argocd", progressive_delivery=progressive)
    return rendered(gitops="argocd", multi_cluster=clusters, progressive_delivery=progressive)


def test_argo_cd_may_apply_all_that_the_overlays_have_and_nothing_else(followed: Path) -> None:
    objects = applied(followed / "deploy" / "argocd")
    (project,) = (one["spec"] for one in of_kind(objects, "AppProject"))
    (found,) = (one["spec"] for one in of_kind(objects, "ApplicationSet"))
    namespaced, cluster_wide = set(), set()
    for element in found["generators"][0]["list"]["elements"]:
        destination = {"name": element["cluster"], "namespace": element["namespace"]}
        assert destination in project["destinations"]
        overlay = followed / "deploy" / "kustomize" / "overlays" / element["overlay"]
        for manifest in applied(overlay):
            kind, where = manifest["kind"], manifest["metadata"].get("namespace")
            if kind in CLUSTER_WIDE:
                cluster_wide.add((group(manifest), kind, manifest["metadata"]["name"]))
            else:
                namespaced.add((group(manifest), kind))
                assert where == element["namespace"]
    permitted = project["namespaceResourceWhitelist"]
    # The autoscaler of production is another kind in Karmada; staging has the usual one.
    assert {(one["group"], one["kind"]) for one in permitted} == namespaced
    permitted = project["clusterResourceWhitelist"]
    assert {(one["group"], one["kind"], one["name"]) for one in permitted} == cluster_wide


def test_argo_cd_syncs_staging_by_itself_and_production_never(followed: Path) -> None:
    objects = applied(followed / "deploy" / "argocd")
    (found,) = (one["spec"] for one in of_kind(objects, "ApplicationSet"))
    elements = found["generators"][0]["list"]["elements"]
    made = {one["metadata"]["name"]: one["spec"] for one in executed(found, elements)}
    assert set(made) == {"orders-staging", "orders-production"}
    staging, production = made["orders-staging"], made["orders-production"]
    assert staging["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
    assert production["syncPolicy"]["automated"] is None
    for spec in made.values():
        assert followed.joinpath(spec["source"]["path"], "kustomization.yaml").exists()
        assert spec["source"]["repoURL"] == "https://git.example.com/orders.git"
        # The rest of the policy is still there.
        assert "ServerSideApply=true" in spec["syncPolicy"]["syncOptions"]


def test_a_misspelt_name_in_the_application_set_is_an_error(one: Path) -> None:
    objects = applied(one / "deploy" / "argocd")
    (found,) = (manifest["spec"] for manifest in of_kind(objects, "ApplicationSet"))
    (element, *_) = copy.deepcopy(found["generators"][0]["list"]["elements"])
    del element["overlay"]
    with pytest.raises(ValueError, match="overlay"):
        executed(found, [element])


def test_weights_of_a_canary_are_no_drift(one: Path) -> None:
    objects = applied(one / "deploy" / "argocd")
    (found,) = (manifest["spec"] for manifest in of_kind(objects, "ApplicationSet"))
    production = applied(one / "deploy" / "kustomize" / "overlays" / "production")
    routes = of_kind(production, "HTTPRoute")
    ignored = {entry["kind"] for entry in found["template"]["spec"].get("ignoreDifferences", ())}
    assert ignored == {route["kind"] for route in routes}
