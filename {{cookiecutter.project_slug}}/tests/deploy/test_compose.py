"""Compose for development: files, ports and settings agree with each other."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tools.package import ROOT

from ..support.process import command, environment

FOLDER = ROOT / "deploy/compose"
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


def parsed(name: str) -> Any:
    """A file of the folder, every variable at its default."""
    text = FOLDER.joinpath(name).read_text(encoding="utf-8")
    return yaml.safe_load(DEFAULT.sub(r"\1", text))


COMPOSE = parsed("compose.yaml")
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if "build" in one}


def _deployment() -> Any:
    path = ROOT / "deploy/kustomize/base/deployment.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]["template"]["spec"]


def _mounts() -> Iterator[tuple[str, str]]:
    for name, one in SERVICES.items():
        for mount in one.get("volumes", ()):
            yield name, mount.split(":")[0]


def _ports() -> Iterator[tuple[str, str, str]]:
    for name, one in SERVICES.items():
        for port in one.get("ports", ()):
            address, published, _ = port.split(":")
            yield name, address, published


def test_every_mounted_file_and_volume_is_there() -> None:
    for name, source in _mounts():
        if source.startswith("."):
            assert (FOLDER / source).resolve().is_file(), f"{name}: {source}"
        else:
            assert source in COMPOSE["volumes"], f"{name}: {source}"
    assert set(COMPOSE["volumes"]) <= {source for _, source in _mounts()}


def test_every_file_of_the_folder_is_mounted() -> None:
    mounted = {(FOLDER / source).resolve() for _, source in _mounts() if source[0] == "."}
    files = {path for path in FOLDER.rglob("*.yaml") if path.name != "compose.yaml"}
    assert files <= mounted


def test_ports_are_open_to_this_machine_only_and_documented() -> None:
    assert {address for _, address, _ in _ports()} == {"127.0.0.1"}
    published = [port for _, _, port in _ports()]
    assert len(published) == len(set(published))
    page = FOLDER.joinpath("README.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| (\d+) `(\w+_PORT)` \|", page, re.MULTILINE)
    text = FOLDER.joinpath("compose.yaml").read_text(encoding="utf-8")
    moved = re.findall(r"127\.0\.0\.1:\$\{(\w+):-(\d+)\}:", text)
    assert sorted(documented) == sorted((port, variable) for variable, port in moved)
    assert sorted(published) == sorted(port for port, _ in documented)


def test_images_are_pinned() -> None:
    for name, one in SERVICES.items():
        image, _, tag = one["image"].rpartition(":")
        assert image, name
        assert tag != "latest", name


def test_who_is_waited_for_is_there_and_can_be_waited_for() -> None:
    for name, one in SERVICES.items():
        for other, how in one.get("depends_on", {}).items():
            condition = how["condition"]
            assert other in SERVICES, f"{name}: {other}"
            healthy = condition == "service_healthy"
            assert not healthy or "healthcheck" in SERVICES[other], f"{name}: {other}"
            # One that ends must not be started again, or nobody ever waits to its end.
            ends = condition == "service_completed_successfully"
            assert ends is ("restart" not in SERVICES[other]), f"{name}: {other}"


@pytest.mark.parametrize("name", OURS)
def test_it_runs_as_in_the_cluster(name: str) -> None:
    one, pod = SERVICES[name], _deployment()
    context = pod["securityContext"]
    assert one["user"] == f"{context['runAsUser']}:{context['runAsGroup']}"
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert (FOLDER / one["build"]["context"]).resolve() == ROOT


def test_it_has_the_memory_and_the_time_to_stop_of_the_cluster() -> None:
    pod = _deployment()
    limit = pod["containers"][0]["resources"]["limits"]["memory"]
    assert f"{SERVICES['service']['mem_limit']}i" == limit.lower()
    shown = _check()
    parts = ("DRAIN_DELAY", "GRACE", "CLOSE_TIMEOUT")
    least = sum(float(shown[f"APP_HTTP__{one}"]) for one in parts)
    assert int(SERVICES["service"]["stop_grace_period"].removesuffix("s")) >= least + 5


def _check() -> dict[str, str]:
    """The settings that the service makes of its environment there."""
    given = SERVICES["service"]["environment"]
    outside = {name: value for name, value in environment(ROOT).items() if "APP_" not in name}
    # Nobody listens at the centre's name here; it need not be waited for.
    ours = given | {"APP_CONFIG__START_TIMEOUT": "0.1"}
    done = command("check", env=outside | ours)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert given.keys() <= shown.keys() | {"OTEL_EXPORTER_OTLP_ENDPOINT"}
    return shown


def test_prometheus_scrapes_the_service_and_reads_the_rules_that_are_mounted() -> None:
    config = parsed("prometheus.yaml")
    (job,) = config["scrape_configs"]
    assert job["job_name"] == _deployment()["serviceAccountName"]
    ((target,),) = (one["targets"] for one in job["static_configs"])
    assert target == f"service:{_check()['APP_MANAGEMENT__PORT']}"
    targets = [mount.split(":")[1] for mount in SERVICES["prometheus"]["volumes"]]
    assert set(config["rule_files"]) <= set(targets)
    file = SERVICES["prometheus"]["command"][0].partition("=")[2]
    assert file in targets


def test_spans_have_a_way_to_the_trace_backend() -> None:
    config = parsed("collector.yaml")
    receiver = config["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    ours = SERVICES["service"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert ours == f"http://collector:{receiver.rpartition(':')[2]}"
    pipeline = config["service"]["pipelines"]["traces"]
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) == set(config[kind])
    (exporter,) = config["exporters"].values()
    host = exporter["endpoint"].split("/")[2].partition(":")[0]
    assert host in SERVICES["collector"]["depends_on"]


def test_grafana_finds_its_sources_and_the_dashboard() -> None:
    for source in parsed("grafana/datasources.yaml")["datasources"]:
        host = source["url"].split("/")[2].partition(":")[0]
        assert host in SERVICES
    (provider,) = parsed("grafana/dashboards.yaml")["providers"]
    folder = provider["options"]["path"]
    targets = [mount.split(":")[1] for mount in SERVICES["grafana"]["volumes"]]
    assert any(one.startswith(f"{folder}/") for one in targets)
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in targets
