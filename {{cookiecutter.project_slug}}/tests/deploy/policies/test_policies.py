"""Every rule refuses what it is for, nothing refuses what is right."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.manifests.admission import Policy, Request, policies, rule
from tools.manifests.checks.policies import check
from tools.manifests.model import Finding, Manifest, Project
from tools.manifests.rendering import objects, render
from tools.package import ROOT

from . import samples

FOLDER = ROOT / "deploy" / "policies"
BAD, GOOD = samples.bad(), samples.good()

if not shutil.which("kubectl") and not shutil.which("kustomize"):
    if os.environ.get("REQUIRE_KUSTOMIZE") == "1":
        pytest.fail("REQUIRE_KUSTOMIZE=1, and neither kubectl nor kustomize is installed")
    pytest.skip("neither kubectl nor kustomize is installed", allow_module_level=True)


@pytest.fixture(scope="module")
def rules() -> list[Policy]:
    """As they are applied."""
    return policies(render(ROOT, FOLDER).objects)


def denied(rules: list[Policy], sample: samples.Sample) -> set[str]:
    """The rules that refuse it."""
    name = sample.object["metadata"].get("namespace")
    home = {"metadata": {"name": name}} if name else None
    operation = "UPDATE" if sample.subresource else "CREATE"
    request = Request(sample.object, home, operation, sample.subresource)
    return {rule(text, text) for one in rules for text in one.denials(request)}


@pytest.mark.parametrize("sample", BAD, ids=lambda one: one.name)
def test_a_bad_object_is_refused_for_what_is_wrong_with_it(
    rules: list[Policy], sample: samples.Sample
) -> None:
    assert denied(rules, sample) == {sample.rule}


@pytest.mark.parametrize("sample", GOOD, ids=lambda one: one.name)
def test_a_good_object_passes(rules: list[Policy], sample: samples.Sample) -> None:
    assert denied(rules, sample) == set()


def test_every_rule_has_something_bad_to_catch(rules: list[Policy]) -> None:
    named = [name for policy in rules for name in policy.rules()]
    assert sorted(set(named)) == sorted(named), "two rules have the same name"
    assert {sample.rule for sample in BAD} == set(named)


def test_what_is_being_deleted_is_let_go(rules: list[Policy]) -> None:
    for sample in BAD:
        metadata = sample.object["metadata"] | {"deletionTimestamp": "2026-01-01T00:00:00Z"}
        gone = samples.Sample(sample.name, sample.object | {"metadata": metadata})
        assert denied(rules, gone) == set()


def test_the_first_roll_out_warns_of_the_same(rules: list[Policy]) -> None:
    audit = render(ROOT, FOLDER / "audit").objects
    for policy, warns in zip(rules, policies(audit), strict=True):
        for part in ("matchConstraints", "matchConditions", "variables", "validations"):
            assert policy.spec[part] == warns.spec[part]
    actions = [one["spec"].get("validationActions") for one in audit]
    assert [one for one in actions if one is not None] == [["Warn", "Audit"]] * len(rules)


def findings(folder: Path, *rendered: str) -> Iterator[Finding]:
    """What the check says of a service's folder."""
    return check(Project(folder, [render(folder, folder / name) for name in rendered]))


def test_our_own_manifests_pass() -> None:
    overlays = sorted(ROOT.glob("deploy/kustomize/overlays/*/kustomization.yaml"))
    folders = [path.parent.relative_to(ROOT).as_posix() for path in overlays]
    assert not list(findings(ROOT, "deploy/policies", *folders))


def seeded(folder: Path, file: str, old: str, new: str) -> Path:
    """A copy of what is deployed with one thing changed."""
    for name in ("deploy", "observability"):
        shutil.copytree(ROOT / name, folder / name)
    changed = folder / "deploy" / file
    text = changed.read_text(encoding="utf-8")
    assert old in text
    changed.write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("file", "old", "new", "wanted"),
    [
        (
            "kustomize/base/deployment.yaml",
            "readOnlyRootFilesystem: true",
            "readOnlyRootFilesystem: false",
            "policies/read-only-root",
        ),
        (
            "kustomize/base/service.yaml",
            "spec:",
            "spec:\n  type: NodePort",
            "policies/cluster-ip-only",
        ),
        ("policies/rules/pods.yaml", "variables.volumes.all(", "(", "policies/expression"),
        (
            "kustomize/overlays/staging/kustomization.yaml",
            "-staging",
            "-other",
            "policies/out-of-reach",
        ),
    ],
)
def test_the_check_finds_what_the_cluster_would_refuse(
    tmp_path: Path, file: str, old: str, new: str, wanted: str
) -> None:
    folder = seeded(tmp_path, file, old, new)
    found = list(findings(folder, "deploy/policies", "deploy/kustomize/overlays/staging"))
    assert {one.rule for one in found} == {wanted}


PROBE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: any, namespace: here, labels: {tier: "1"}}
data: {a: b}
"""
POLICY = """
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: any}
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}
  validations:
    - {expression: "object.data.a == 'c'", message: "a-is-c: no"}
"""


def said(change: str, operation: str = "CREATE") -> list[str]:
    """What the policy says to the object when one place of its specification is changed."""
    [probe], [policy] = objects(PROBE), objects(POLICY)
    policy["spec"].update(objects(change)[0] if change else {})
    home: Manifest = {"metadata": {"name": "here", "labels": {"own": "yes"}}}
    return list(Policy(policy).denials(Request(probe, home, operation)))


VARIABLES = "{variables: [{name: a, expression: object.data.a}, {name: b, expression: object.no}], "
MATCH = "matchConstraints: {resourceRules: [{apiGroups: ['*'], apiVersions: ['*'], "


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ("", ["a-is-c: no"]),
        (MATCH + "operations: ['*'], resources: ['*/*']}]}", ["a-is-c: no"]),
        (MATCH + "operations: [UPDATE], resources: [configmaps]}]}", []),
        (MATCH + "operations: ['*'], resources: [secrets, configmaps/status]}]}", []),
        (MATCH + "operations: ['*'], resources: ['*'], resourceNames: [other]}]}", []),
        (
            MATCH + "operations: ['*'], resources: ['*']}], objectSelector: {matchLabels: {x: y}}}",
            [],
        ),
        (
            MATCH + "operations: ['*'], resources: ['*']}],"
            " namespaceSelector: {matchExpressions: [{key: own, operator: DoesNotExist}]}}",
            [],
        ),
        ("matchConditions: [{name: no, expression: 'false'}]", []),
        ("matchConditions: [{name: broken, expression: 'object.nothing'}]", None),
        ("validations: [{expression: 'object.nothing', message: 'x: y'}]", None),
        ("{failurePolicy: Ignore, validations: [{expression: 'object.nothing'}]}", []),
        (
            "validations: [{expression: 'false', messageExpression: '\"it is \" + object.data.a'}]",
            ["it is b"],
        ),
        (
            VARIABLES + 'validations: [{expression: variables.a == "b"}]}',
            [],
        ),
    ],
)
def test_policies_are_evaluated_as_the_api_server_does(
    change: str, messages: list[str] | None
) -> None:
    found = said(change)
    assert found == messages if messages is not None else len(found) == 1
