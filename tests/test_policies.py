"""The two answers to `policy` hold the same rules, and `none` leaves no trace of either."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from hooks import post_gen_project as hook
from tests.rendering import rendered, texts

LONGEST = "abcdefghi-" * 3 + "abcdefghij"
ANSWERS: list[dict[str, str]] = [
    {},
    {
        "project_slug": LONGEST,
        "image": "registry.example.com:5000/team/orders",
        "database": "none",
        "request_timeout": "60",
        "drain_delay": "30",
        "edge": "k3s",
    },
]


def policies(service: Path) -> dict[str, Mapping[str, Any]]:
    """What each policy says, by its name, but for what it is called and what it does then."""
    found: dict[str, Mapping[str, Any]] = {}
    for path in sorted(service.glob("deploy/policies/rules/*.yaml")):
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if one["kind"] in ("ValidatingPolicy", "ValidatingAdmissionPolicy"):
                spec = {key: one["spec"][key] for key in one["spec"] if key != "validationActions"}
                found[one["metadata"]["name"]] = spec
    return found


def actions(service: Path) -> dict[str, list[str]]:
    """What each policy does, by its name."""
    found = {}
    for path in service.glob("deploy/policies/rules/*.yaml"):
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            spec = one.get("spec") or {}
            if "validationActions" in spec:
                found[spec.get("policyName", one["metadata"]["name"])] = spec["validationActions"]
    return found


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda one: one.get("project_slug", "default"))
def test_both_hold_the_same_rules(answers: dict[str, str]) -> None:
    kyverno = rendered(policy="kyverno", **answers)
    native = rendered(policy="admission", **answers)
    rules = policies(kyverno)
    assert rules == policies(native)
    assert len([one for spec in rules.values() for one in spec["validations"]]) >= 20
    assert actions(kyverno) == actions(native) == {name: ["Deny"] for name in rules}
    samples = [
        {str(path.relative_to(root)): path.read_text() for path in root.rglob("*.yaml")}
        for root in (service / "tests" / "deploy" / "policies" for service in (kyverno, native))
    ]
    assert samples[0] == samples[1] != {}


def test_the_rules_follow_the_answers() -> None:
    one, other = (policies(rendered(policy="admission", **answers)) for answers in ANSWERS)
    assert "at least 25:" in json.dumps(one)
    assert "at least 105:" in json.dumps(other)
    assert ">= 105" in other[f"{LONGEST}-pods"]["validations"][-1]["expression"]
    assert "registry.example.com:5000/team/" in json.dumps(other[f"{LONGEST}-images"])
    reached = other[f"{LONGEST}-pods"]["matchConstraints"]["namespaceSelector"]
    assert f"{LONGEST}-edge" in reached["matchExpressions"][0]["values"]


def test_without_policies_nothing_speaks_of_them() -> None:
    files = texts(rendered(policy="none"))
    assert not [name for name in files if "polic" in name and "network-policy" not in name]
    for words in ("admission.py", "common-expression-language", "deploy/policies", "import cel"):
        assert not [name for name, text in files.items() if words in text and name != "README.md"]
    assert {question for question, _ in hook.PRUNE} >= {"policy"}
