"""What linters find is found by `make manifests`, and what they are told to leave has a reason."""

from pathlib import Path
from typing import Any

import pytest

from tools.manifests.checks import linters
from tools.manifests.model import Finding, Project, Skipped
from tools.package import ROOT

from ..support.server import program
from .changed import Change, changed, project, put, rendered, rules

FIRST = "spec.template.spec.containers.0"


def annotated(**values: str) -> Change:
    names = {
        "kube_score": "kube-score/ignore",
        "checkov": "checkov.io/skip9",
        "kube_linter": "ignore-check.kube-linter.io/latest-tag",
    }

    def change(objects: list[Any]) -> None:
        [one] = [one for one in objects if one["kind"] == "Deployment"]
        for name, value in values.items():
            one["metadata"].setdefault("annotations", {})[names[name]] = value

    return change


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run one linter alone."""

    def choose(name: str) -> None:
        monkeypatch.setattr(linters, "LINTERS", {name: linters.LINTERS[name]})

    return choose


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kube_score": "container-resources,pod-probes"}, "leaves out pod-probes"),
        ({"checkov": "CKV_K8S_8"}, "no reason behind"),
        ({"checkov": "CKV_K8S_8=todo"}, "no reason behind"),
        ({"kube_linter": ""}, "gives no reason"),
    ],
)
def test_what_is_left_out_has_a_reason(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], said: str
) -> None:
    monkeypatch.setattr(linters, "LINTERS", {})
    [found] = [
        one
        for one in linters.check(changed(annotated(**values)))
        if isinstance(one, Finding) and one.rule == "linters/no-reason"
    ]
    assert said in found.message


def test_a_linter_that_is_not_there_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, only: Any
) -> None:
    monkeypatch.setenv("PATH", "")
    only("kube-score")
    assert list(linters.check(project())) == [Skipped("kube-score", "it is not installed here")]


def test_a_linter_that_fails_is_a_finding(only: Any, tmp_path: Path) -> None:
    only("yamllint")
    tmp_path.joinpath("deploy").mkdir()  # without its configuration
    [found] = linters.check(Project(tmp_path, ()))
    assert isinstance(found, Finding)
    assert "did not run" in found.message


def test_yamllint_finds_what_it_is_for(only: Any, tmp_path: Path) -> None:
    only("yamllint")
    folder = tmp_path / "deploy"
    folder.mkdir()
    config = ROOT.joinpath("deploy", ".yamllint.yaml").read_text("utf-8")
    folder.joinpath(".yamllint.yaml").write_text(config, "utf-8")
    folder.joinpath("x.yaml").write_text("a: yes\nb:   1\nb: 2\n", "utf-8")
    found = rules(list(linters.check(Project(tmp_path, ()))))
    names = ("truthy", "colons", "key-duplicates")
    assert found == {f"linters/yamllint/{name}" for name in names}


def test_hadolint_finds_what_it_is_for(only: Any, tmp_path: Path) -> None:
    only("hadolint")
    tmp_path.joinpath("deploy").mkdir()
    tmp_path.joinpath("deploy", "Dockerfile").write_text("FROM debian\nRUN cd /x\n", "utf-8")
    found = rules(list(linters.check(Project(tmp_path, ()))))
    assert {"linters/hadolint/DL3006", "linters/hadolint/DL3003"} <= found


@pytest.mark.parametrize("name", ["yamllint", "hadolint"])
def test_the_sources_of_this_service_are_clean(only: Any, name: str) -> None:
    only(name)
    assert list(linters.check(project())) == []


@pytest.mark.parametrize(
    ("name", "rule", "mistake"),
    [
        ("kube-score", "container-image-tag", put("Deployment", f"{FIRST}.image", "x:latest")),
        ("checkov", "CKV_K8S_14", put("Deployment", f"{FIRST}.image", "x:latest")),
        ("kube-linter", "latest-tag", put("Deployment", f"{FIRST}.image", "x:latest")),
    ],
)
def test_linters_of_manifests_are_content_with_these_and_with_no_others(
    only: Any, name: str, rule: str, mistake: Change
) -> None:
    program(name, f"REQUIRE_{name.upper().replace('-', '_')}")
    only(name)
    assert list(linters.check(project(*rendered()))) == []
    assert f"linters/{name}/{rule}" in rules(list(linters.check(changed(mistake))))
