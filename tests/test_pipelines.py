"""The pipelines that services get: what they call is there, for every answer."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.pipelines import github_scripts, gitlab_scripts, jobs, made, pipeline, targets, workflows
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
# Who signs does not write, and who writes does not sign.
RIGHTS = {
    "release/image": {"contents": "read", "id-token": "write"},
    "release/promote": {"contents": "write", "pull-requests": "write"},
    "pins/propose": {"actions": "write", "contents": "write", "pull-requests": "write"},
}


def _name(sample: dict[str, str]) -> str:
    return "-".join(sample.values())[:40] or "default"


@pytest.fixture(scope="module", params=SAMPLES, ids=_name)
def github(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("github"), **request.param)


@pytest.fixture(scope="module", params=SAMPLES, ids=_name)
def gitlab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("gitlab"), ci="gitlab", **request.param)


def _paths(script: str) -> set[str]:
    """Words that begin like a path below one of the service's folders."""
    words = re.findall(rf"(?<![\w./@:-])((?:{'|'.join(map(re.escape, FOLDERS))})/[\w./-]+)", script)
    return {word.rstrip(".") for word in words}


def _check_calls(service: Path, scripts: list[str]) -> None:
    assert made(scripts) <= targets(service)
    for script in scripts:
        for path in _paths(script):
            if path.split("/")[0] not in MADE and not path.endswith("/"):
                assert service.joinpath(path).exists(), f"{path} in: {script}"
        for module in re.findall(r"-m (tools\.[\w.]+)", script):
            assert service.joinpath(*module.split(".")).exists(), module


def test_what_workflows_call_is_there(github: Path) -> None:
    scripts = [*github_scripts(github), (github / "tools/rollout/in-kind.sh").read_text()]
    assert len(scripts) > 10
    _check_calls(github, scripts)


def test_what_the_pipeline_calls_is_there(gitlab: Path) -> None:
    scripts = gitlab_scripts(gitlab)
    assert len(scripts) > 20
    _check_calls(gitlab, scripts)


def test_both_pipelines_hold_the_same_steps() -> None:
    one = rendered(helm="yes")
    two = rendered(helm="yes", ci="gitlab")
    scripts = (github_scripts(one), gitlab_scripts(two))
    github, gitlab = ("\n".join(found) for found in scripts)
    assert made(scripts[0]) == made(scripts[1])
    for step in (
        *("make manifests STRICT=1 CRDS=build/crds", "make pins UPGRADE=1", "helm package"),
        *("kind create cluster", "deploy/crds.sh", "kind load", "tools/rollout/in-kind.sh"),
        *("pytest tests/deploy/chart", "cosign sign", "cosign attest"),
        "kustomize edit set image",
    ):
        assert step in github
        assert step in gitlab


def test_no_job_has_more_rights_than_it_needs(github: Path) -> None:
    for file, workflow in workflows(github).items():
        assert workflow["permissions"] == LEAST
        assert "concurrency" in workflow
        for name, job in workflow["jobs"].items():
            assert job.get("permissions", LEAST) == RIGHTS.get(f"{file}/{name}", LEAST)
            if "uses" not in job:
                assert job["timeout-minutes"] <= 60


def test_no_code_of_others_runs_where_something_can_be_written(github: Path) -> None:
    for workflow in workflows(github).values():
        for job in workflow["jobs"].values():
            if job.get("permissions", LEAST).get("contents") == "write":
                assert not made([step["run"] for step in job["steps"] if "run" in step])


def test_a_release_is_of_what_passed(github: Path) -> None:
    release = workflows(github)["release"]["jobs"]
    assert release["ci"]["uses"].endswith("/ci.yml")
    assert release["image"]["needs"] == "ci"


def test_what_is_installed_is_of_a_fixed_version(github: Path) -> None:
    for script in github_scripts(github):
        for module in re.findall(r"go install (\S+)", script):
            assert re.search(r"@v\d+\.\d+\.\d+$", module), module
        for package in re.findall(r"pipx install (\S+)", script):
            assert re.search(r"==\d", package), package


def test_the_registry_is_the_one_of_the_image() -> None:
    for image, registry in (
        ("registry.example.com/tea/orders", "registry.example.com"),
        ("registry.example.com:5000/orders", "registry.example.com:5000"),
    ):
        release = workflows(rendered(image=image))["release"]
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


def test_no_job_of_the_pipeline_has_a_name_that_means_something_else(gitlab: Path) -> None:
    # `image` at the top is the default image of all jobs, whatever stands below it.
    words = {"image", "services", "cache", "variables", "default", "include", "pages"}
    whole = pipeline(gitlab)
    assert not words & whole.keys()
    found = jobs(gitlab)
    assert {job["stage"] for job in found.values()} == set(whole["stages"])
    for job in found.values():
        assert set(job.get("needs", ())) <= found.keys()
        assert "timeout" in job
    assert {name for name, job in found.items() if "id_tokens" in job} == {"release"}
