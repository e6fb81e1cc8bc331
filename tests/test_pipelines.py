"""The pipelines that services get: what they call is there, for every answer."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rendering import render, rendered

LONGEST = "abcdefghi-" * 3 + "abcdefghij"
# Whatever a line of a pipeline depends on, both ways.
SAMPLES: list[dict[str, str]] = [
    {},
    {"database": "none", "auth": "jwt", "helm": "yes", "image": "registry.acme.example/tea"},
    {"project_slug": LONGEST, "helm": "yes", "image": "registry.example.com:5000/tea"},
    {
        "project_slug": "order-intake",
        "progressive_delivery": "argo-rollouts",
        "gitops": "argocd",
        "multi_cluster": "karmada",
        "edge": "kubeedge",
        "policy": "kyverno",
    },
    {"progressive_delivery": "gateway-api", "policy": "admission", "edge": "k3s"},
]
# Made by the pipeline itself, or by what it calls.
MADE = {"build", ".venv"}
FOLDERS = ("deploy", "observability", "src", "tests", "tools", *MADE)
LEAST = {"contents": "read"}


def _name(sample: dict[str, str]) -> str:
    return "-".join(sample.values())[:40] or "default"


@pytest.fixture(scope="module", params=SAMPLES, ids=_name)
def github(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("github"), **request.param)


@pytest.fixture(scope="module", params=SAMPLES, ids=_name)
def gitlab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("gitlab"), ci="gitlab", **request.param)


def _workflows(service: Path) -> dict[str, Any]:
    found = sorted(service.joinpath(".github", "workflows").iterdir())
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in found}


def _pipeline(service: Path) -> Any:
    return yaml.safe_load(service.joinpath(".gitlab-ci.yml").read_text(encoding="utf-8"))


def _github_scripts(service: Path) -> Iterator[str]:
    for workflow in _workflows(service).values():
        for job in workflow["jobs"].values():
            yield from (step["run"] for step in job["steps"] if "run" in step)


def _gitlab_scripts(service: Path) -> Iterator[str]:
    for job in _pipeline(service).values():
        if isinstance(job, dict):
            yield from (*job.get("before_script", ()), *job.get("script", ()))


def _targets(service: Path) -> set[str]:
    makefile = service.joinpath("Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def _paths(script: str) -> set[str]:
    """Words that begin like a path below one of the service's folders."""
    words = re.findall(rf"(?<![\w./@:-])((?:{'|'.join(map(re.escape, FOLDERS))})/[\w./-]+)", script)
    return {word.rstrip(".") for word in words}


def _check_calls(service: Path, scripts: list[str]) -> None:
    targets = _targets(service)
    for script in scripts:
        called = set(re.findall(r"(?<![\w-])make ([a-z]+)", script))
        assert called <= targets, called - targets
        for path in _paths(script):
            if path.split("/")[0] not in MADE and not path.endswith("/"):
                assert service.joinpath(path).exists(), f"{path} in: {script}"
        for module in re.findall(r"-m (tools\.[\w.]+)", script):
            assert service.joinpath(*module.split(".")).exists(), module


def test_what_workflows_call_is_there(github: Path) -> None:
    scripts = [*_github_scripts(github), (github / "tools/rollout/in-kind.sh").read_text()]
    assert len(scripts) > 10
    _check_calls(github, scripts)


def test_what_the_pipeline_calls_is_there(gitlab: Path) -> None:
    scripts = list(_gitlab_scripts(gitlab))
    assert len(scripts) > 20
    _check_calls(gitlab, scripts)


def test_both_pipelines_hold_the_same_steps() -> None:
    one = rendered(helm="yes")
    two = rendered(helm="yes", ci="gitlab")
    github, gitlab = ("\n".join(found) for found in (_github_scripts(one), _gitlab_scripts(two)))
    for step in (
        *("make setup", "make lint", "make test", "make sbom", "make audit", "make image"),
        *("make manifests STRICT=1 CRDS=build/crds", "kind create cluster", "deploy/crds.sh"),
        *("pytest tests/deploy/chart", "kind load", "tools/rollout/in-kind.sh"),
        *("cosign sign", "cosign attest", "kustomize edit set image"),
    ):
        assert step in github
        assert step in gitlab


def test_no_job_has_more_rights_than_it_needs(github: Path) -> None:
    for workflow in _workflows(github).values():
        assert workflow["permissions"] == LEAST
        assert "concurrency" in workflow
        for name, job in workflow["jobs"].items():
            assert job["timeout-minutes"] <= 60
            rights = job.get("permissions", LEAST)
            # Who signs does not write, and who writes does not sign.
            assert not {"id-token", "contents"} <= {k for k, v in rights.items() if v == "write"}
            assert (rights.get("id-token") == "write") is (name == "image" and rights != LEAST)


def test_actions_are_of_a_fixed_version(github: Path) -> None:
    used = [
        step["uses"]
        for workflow in _workflows(github).values()
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    ]
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+(\.\d+)*|[0-9a-f]{40})", action), action


def test_what_is_installed_is_of_a_fixed_version(github: Path) -> None:
    for script in _github_scripts(github):
        for module in re.findall(r"go install (\S+)", script):
            assert re.search(r"@v\d+\.\d+\.\d+$", module), module
        for package in re.findall(r"pipx install (\S+)", script):
            assert re.search(r"==\d", package), package


def test_the_registry_is_the_one_of_the_image() -> None:
    for image, registry in (
        ("registry.example.com/tea/orders", "registry.example.com"),
        ("registry.example.com:5000/orders", "registry.example.com:5000"),
    ):
        service = rendered(image=image)
        release = _workflows(service)["release"]
        [login] = [
            step["with"]
            for step in release["jobs"]["image"]["steps"]
            if step.get("uses", "").startswith("docker/login-action")
        ]
        assert login["registry"] == registry
        assert release["env"]["IMAGE"] == image


def test_the_load_comes_in_where_the_cluster_lets_it(github: Path) -> None:
    folder = github / "tools" / "rollout"
    cluster = yaml.safe_load((folder / "kind.yaml").read_text(encoding="utf-8"))
    [node] = cluster["nodes"]
    [mapping] = node["extraPortMappings"]
    service, policy = yaml.safe_load_all((folder / "way-in.yaml").read_text(encoding="utf-8"))
    [port] = service["spec"]["ports"]
    assert port["nodePort"] == mapping["containerPort"] == mapping["hostPort"]
    assert f":{mapping['hostPort']}/" in (folder / "in-kind.sh").read_text(encoding="utf-8")
    deployment = github / "deploy" / "kustomize" / "base" / "deployment.yaml"
    pod = yaml.safe_load(deployment.read_text(encoding="utf-8"))["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert port["targetPort"] in {one["name"] for one in container["ports"]}
    assert policy["spec"]["podSelector"]["matchLabels"] == service["spec"]["selector"]
    # The last old pod may drain that long after the new ones are ready.
    text = (folder / "in-kind.sh").read_text(encoding="utf-8")
    assert f"--after {pod['terminationGracePeriodSeconds']} " in text


@pytest.mark.parametrize("name", ["tools/rollout/in-kind.sh", "deploy/crds.sh"])
def test_the_scripts_can_be_run(github: Path, name: str) -> None:
    script = github / name
    assert os.access(script, os.X_OK)
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_finds_nothing(github: Path) -> None:
    files = sorted(map(str, github.joinpath(".github", "workflows").iterdir()))
    line = ["actionlint", "-no-color", *files]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_job_of_the_pipeline_has_a_name_that_means_something_else(gitlab: Path) -> None:
    # `image` at the top is the default image of all jobs, whatever stands below it.
    words = {"image", "services", "cache", "variables", "default", "include", "pages"}
    pipeline = _pipeline(gitlab)
    assert not words & pipeline.keys()
    jobs = {n: j for n, j in pipeline.items() if isinstance(j, dict) and "stage" in j}
    assert {job["stage"] for job in jobs.values()} == set(pipeline["stages"])
    for job in jobs.values():
        assert set(job.get("needs", ())) <= jobs.keys()
        assert "timeout" in job
    signing = {name for name, job in jobs.items() if "id_tokens" in job}
    assert signing == {"release"}
