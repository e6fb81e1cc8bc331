"""Rules, dashboard and compose of every kind of service, without running it."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.rendering import CHOICES, render, rendered

SAMPLES = [
    {},
    {"database": "none", "auth": "jwt", "config_center": "etcd", "project_slug": "order-intake"},
    {"config_center": "consul", "project_slug": "abcdefghi-" * 3 + "abcdefghij"},
    {"config_center": "nacos", "request_timeout": "30", "memory_mib": "512", "drain_delay": "9"},
]


@pytest.fixture(
    scope="module",
    params=SAMPLES,
    ids=lambda sample: "-".join(sample.values())[:40] or "default",
)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service of its own, since importing from it leaves byte code behind."""
    return render(tmp_path_factory.mktemp("service"), **request.param)


def _module(service: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "prometheus_rule", service / "tools/manifests/prometheus_rule.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_object_is_what_make_fix_would_write(service: Path) -> None:
    module = _module(service)
    found = service.joinpath(module.DERIVED).read_text(encoding="utf-8")
    assert found == module.expected(service), "derive it again, from the template's rules.yaml"


def test_promtool_takes_the_rules(service: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        assert os.environ.get("REQUIRE_PROMTOOL") != "1", "no promtool is installed"
        pytest.skip("no promtool is installed")
    command = [promtool, "check", "rules", "observability/rules.yaml"]
    done = subprocess.run(command, cwd=service, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("database", CHOICES["database"])
def test_only_a_database_that_is_there_is_watched(database: str) -> None:
    service = rendered(database=database)
    for name in ("rules.yaml", "health.test.yaml", "dashboard.json", "runbook.md"):
        text = service.joinpath("observability", name).read_text(encoding="utf-8")
        assert ("atabase" in text) is (database == "sql"), name
    board = json.loads(service.joinpath("observability/dashboard.json").read_text(encoding="utf-8"))
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(numbers) == len(set(numbers))
    compose = yaml.safe_load(service.joinpath("deploy/compose/compose.yaml").read_text())
    assert ("postgres" in compose["services"]) is (database == "sql")


@pytest.mark.parametrize("centre", CHOICES["config_center"])
def test_compose_has_the_configuration_centre(centre: str) -> None:
    service = rendered(config_center=centre)
    services = yaml.safe_load(service.joinpath("deploy/compose/compose.yaml").read_text())
    others = {"etcd", "consul", "nacos"} - {centre}
    assert not others & services["services"].keys()
    ours = services["services"]["service"]
    assert ("APP_CONFIG__SOURCE" in ours["environment"]) is (centre != "none")
    assert (centre in ours["depends_on"]) is (centre != "none")


@pytest.mark.parametrize(
    ("repository", "web"),
    [
        ("https://git.example.com/orders.git", "https://git.example.com/orders"),
        ("https://me@git.example.com:8443/a/b.git/", "https://git.example.com:8443/a/b"),
        ("ssh://git@git.example.com:2222/team/orders.git", "https://git.example.com/team/orders"),
        ("ssh://git.example.com/team/orders", "https://git.example.com/team/orders"),
        ("git@git.example.com:team/orders.git", "https://git.example.com/team/orders"),
    ],
)
def test_the_runbook_is_linked_where_a_browser_finds_it(repository: str, web: str) -> None:
    rules = rendered(repository=repository) / "observability" / "rules.yaml"
    links = re.findall(r"runbook_url: (.*)#", rules.read_text(encoding="utf-8"))
    assert set(links) == {f"{web}/blob/main/observability/runbook.md"}
