"""The chart renders to what the overlays render to, and follows its values."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.chart.chart import OVERLAYS
from tools.manifests.rendering import objects, render
from tools.package import ROOT

# Kubernetes merges these by name: their order says nothing.
BY_NAME = {"env", "volumes", "volumeMounts", "ports"}


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        if os.environ.get(f"REQUIRE_{name.upper()}") == "1":
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")
    return path


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chart") / "made"
    line = [sys.executable, "-m", "tools.chart", "--into", str(folder)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def helm(*words: str) -> str:
    done = subprocess.run(
        [program("helm"), *words], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def templated(chart: Path, overlay: str, *words: str) -> list[Mapping[str, Any]]:
    values = str(chart / f"values-{overlay}.yaml")
    return objects(helm("template", "any", str(chart), "-f", values, *words))


def canonical(node: Any, key: str = "") -> Any:
    """The same data in one order."""
    if isinstance(node, dict):
        return {name: canonical(value, name) for name, value in sorted(node.items())}
    if isinstance(node, list):
        items = [canonical(item) for item in node]
        named = all(isinstance(item, dict) and "name" in item for item in items)
        return sorted(items, key=repr) if key in BY_NAME and named else items
    return node


def by_name(manifests: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Any]:
    found = {(m["kind"], m["metadata"]["name"]): canonical(m) for m in manifests}
    assert len(found) == len(manifests)
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_chart_is_what_the_overlay_is(chart: Path, overlay: str) -> None:
    expected = by_name(render(ROOT, ROOT / "deploy/kustomize/overlays" / overlay).objects)
    assert by_name(templated(chart, overlay)) == expected


def test_the_chart_has_no_fault_that_helm_knows(chart: Path) -> None:
    for overlay in OVERLAYS:
        helm("lint", "--strict", str(chart), "-f", str(chart / f"values-{overlay}.yaml"))


def workload(manifests: Sequence[Mapping[str, Any]]) -> Any:
    [found] = [m for m in manifests if m["kind"] == "Deployment"]
    return found["spec"]["template"]["spec"]


def test_an_image_is_chosen_by_tag_or_digest(chart: Path) -> None:
    digest = "sha256:" + "0" * 64
    for words, end in (
        (("--set", "image.tag=9.9.9"), ":9.9.9"),
        (("--set", f"image.tag=null,image.digest={digest}"), f"@{digest}"),
    ):
        spec = workload(templated(chart, "production", *words))
        containers = [*spec["containers"], *spec.get("initContainers", ())]
        assert {c["image"].endswith(end) for c in containers} == {True}


def test_values_of_ones_own_reach_the_objects(chart: Path, tmp_path: Path) -> None:
    own = {
        "namespace": "elsewhere",
        "autoscaling": {"maxReplicas": 40},
        "env": {"service": {"APP_HTTP__KEEP_ALIVE": "90", "APP_ENVIRONMENT": None}},
        "config": {"log.level": "warning", "log.sample_rate": 1},
    }
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(own))
    made = templated(chart, "production", "-f", str(path))
    assert {m["metadata"].get("namespace", "elsewhere") for m in made} == {"elsewhere"}
    [scaler] = [m for m in made if m["kind"] == "HorizontalPodAutoscaler"]
    assert scaler["spec"]["maxReplicas"] == 40
    env = {e["name"]: e.get("value") for e in workload(made)["containers"][0]["env"]}
    assert env["APP_HTTP__KEEP_ALIVE"] == "90"
    assert "APP_ENVIRONMENT" not in env
    config = by_name(made)["ConfigMap", workload(made)["serviceAccountName"]]["data"]
    assert config["log.level"] == "warning"
    assert config["log.sample_rate"] == "1"


def test_a_folder_that_is_no_chart_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.touch()
    line = [sys.executable, "-m", "tools.chart", "--into", str(tmp_path)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is no chart" in done.stderr
    assert kept.exists()
