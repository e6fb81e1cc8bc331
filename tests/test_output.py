"""What the template writes, for every answer, without running it."""

import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from hooks import post_gen_project as hook
from tests.rendering import CHOICES, ROOT, TEMPLATE, render, rendered, texts

LONGEST = "abcdefghi-" * 3 + "abcdefghij"
# Each choice at least once, and both ends of the name's length.
SAMPLES = [
    {},
    {"project_slug": "ab", "database": "none", "license": "Apache-2.0", "ci": "none"},
    {"project_slug": LONGEST, "license": "BSD-3-Clause", "ci": "gitlab", "config_center": "etcd"},
    {"database": "none", "license": "Proprietary", "config_center": "nacos", "edge": "k3s"},
    {"auth": "jwt", "config_center": "consul", "progressive_delivery": "gateway-api"},
    {"python_version": "3.13", "progressive_delivery": "argo-rollouts"},
    {"gitops": "argocd", "multi_cluster": "karmada", "edge": "kubeedge"},
]


@pytest.fixture(params=SAMPLES, ids=lambda sample: "-".join(sample.values())[:40] or "default")
def service(request: pytest.FixtureRequest) -> Path:
    """A service rendered from one of the samples."""
    return rendered(**request.param)


def test_the_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (
        {
            path.relative_to(root): (path.read_bytes(), path.stat().st_mode)
            for path in root.rglob("*")
            if path.is_file()
        }
        for root in (render(tmp_path / "one"), render(tmp_path / "two"))
    )
    assert one == two


def test_leftovers_of_tools_in_the_template_do_not_reach_the_service(tmp_path: Path) -> None:
    root = tmp_path / "orders"
    for folder in hook.LEFTOVERS:
        root.joinpath("src", folder, folder).mkdir(parents=True)
        root.joinpath("src", folder, "x.pyc").touch()
    answers = {name: choices[0] for name, choices in CHOICES.items()}
    hook.finish(root, answers | {"__package_name": "orders"})
    assert not list(root.joinpath("src").iterdir())


def test_spacing_is_tidy(service: Path) -> None:
    for name, text in texts(service).items():
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), f"{name}: space at the end of a line"
        # Python separates its definitions by two empty lines, all else by one.
        run = "\n\n\n\n" if name.endswith((".py", ".py.txt")) else "\n\n\n"
        without_python = re.sub(r"^```python$.*?^```$", "...", text, flags=re.MULTILINE | re.DOTALL)
        assert run not in without_python, f"{name}: a run of empty lines"
        if text:
            assert text.endswith("\n"), f"{name}: no newline at the end"
            assert not text.endswith("\n\n"), f"{name}: empty lines at the end"
            assert not text.startswith("\n"), f"{name}: an empty line at the start"


def test_the_python_files_are_formatted_for_any_name(service: Path) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["format", "--check", "--diff"], ["check"]):
        done = subprocess.run(
            [*ruff, *command, "--no-cache", "."],
            cwd=service,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_configuration_parses(service: Path) -> None:
    tomllib.loads(service.joinpath("pyproject.toml").read_text(encoding="utf-8"))
    for path in [*service.rglob("*.yml"), *service.rglob("*.yaml")]:
        assert list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def _pruned_paths() -> list[tuple[str, str, str]]:
    return [
        (question, answer, path)
        for (question, answer), paths in hook.PRUNE.items()
        for path in paths
    ]


@pytest.mark.parametrize(("question", "answer", "path"), _pruned_paths())
def test_each_entry_of_the_prune_table_is_there_and_goes(
    question: str, answer: str, path: str
) -> None:
    assert answer in CHOICES[question]
    unpruned = TEMPLATE / path.replace("<package>", "{{cookiecutter.__package_name}}")
    assert unpruned.exists(), f"{path} is not in the template: a dead entry"
    service = rendered(**{question: answer})
    assert not service.joinpath(path.replace("<package>", "orders")).exists()


@pytest.mark.parametrize("database", CHOICES["database"])
def test_only_the_chosen_gateway_is_there(database: str) -> None:
    package = rendered(database=database) / "src" / "orders"
    assert package.joinpath("gateways", "store_memory.py").exists() is (database == "none")
    assert package.joinpath("gateways", "sql").exists() is (database == "sql")
    assert package.joinpath("runtime", "database").exists() is (database == "sql")


@pytest.mark.parametrize("config_center", CHOICES["config_center"])
def test_only_the_chosen_configuration_centre_is_there(config_center: str) -> None:
    service = rendered(config_center=config_center)
    sources = service / "src" / "orders" / "runtime" / "config" / "sources"
    for centre in ("etcd", "consul", "nacos"):
        assert sources.joinpath(f"{centre}.py").exists() is (config_center == centre)
    assert sources.joinpath("remote.py").exists() is (config_center != "none")
    others = {"etcd", "consul", "nacos"} - {config_center}
    for path in [*service.rglob("*.py"), service / "pyproject.toml"]:
        code = path.read_text(encoding="utf-8")
        assert not re.search(rf"sources[./]({'|'.join(others)})", code), path


@pytest.mark.parametrize("auth", CHOICES["auth"])
def test_only_the_chosen_authentication_is_there(auth: str) -> None:
    service = rendered(auth=auth)
    package = service / "src" / "orders"
    assert package.joinpath("runtime", "auth").exists() is (auth == "jwt")
    contract = service.joinpath("contract", "openapi.yaml").read_text(encoding="utf-8")
    assert ("bearerAuth" in contract) is (auth == "jwt")


@pytest.mark.parametrize("ci", CHOICES["ci"])
def test_only_the_chosen_pipeline_is_there(ci: str) -> None:
    service = rendered(ci=ci)
    assert service.joinpath(".github", "workflows", "ci.yml").exists() is (ci == "github")
    assert service.joinpath(".gitlab-ci.yml").exists() is (ci == "gitlab")


@pytest.mark.parametrize(
    ("database", "ci"), list(itertools.product(CHOICES["database"], ("github", "gitlab")))
)
def test_a_pipeline_tests_against_postgresql_where_there_is_one(database: str, ci: str) -> None:
    service = rendered(database=database, ci=ci)
    path = ".github/workflows/ci.yml" if ci == "github" else ".gitlab-ci.yml"
    text = service.joinpath(path).read_text(encoding="utf-8")
    assert ("REQUIRE_POSTGRES" in text) is ("TEST_POSTGRES_URL" in text) is (database == "sql")
    for target in ("setup", "lint", "test ALL=1"):
        assert f"make {target}\n" in text


@pytest.mark.parametrize(
    ("answer", "words", "expression"),
    [
        ("MIT", "MIT License", "MIT"),
        ("Apache-2.0", "END OF TERMS AND CONDITIONS", "Apache-2.0"),
        ("BSD-3-Clause", "Neither the name of the copyright holder", "BSD-3-Clause"),
        ("Proprietary", "All rights reserved", "LicenseRef-Proprietary"),
    ],
)
def test_the_licence_is_the_chosen_one(answer: str, words: str, expression: str) -> None:
    service = rendered(license=answer, author="Tea & Co")
    text = service.joinpath("LICENSE").read_text(encoding="utf-8")
    assert words in text
    assert "Tea & Co" in text
    project = tomllib.loads(service.joinpath("pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["license"] == expression


@pytest.mark.parametrize("version", CHOICES["python_version"])
def test_the_oldest_python_is_the_chosen_one(version: str) -> None:
    service = rendered(python_version=version)
    project = tomllib.loads(service.joinpath("pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == f">={version}"
    assert project["tool"]["mypy"]["python_version"] == version


def test_the_help_of_make_names_every_target(service: Path) -> None:
    done = subprocess.run(["make"], cwd=service, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^  make (\w+) +\S", done.stdout, re.MULTILINE))
    makefile = service.joinpath("Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert listed == set(" ".join(phony).split())
    assert ("migrate" in listed) is bool(list(service.glob("src/*/runtime/database")))


def test_the_rules_of_lint_are_the_services() -> None:
    folders = (ROOT, rendered())
    files = [folder.joinpath("pyproject.toml").read_text(encoding="utf-8") for folder in folders]
    ours, theirs = (tomllib.loads(text)["tool"]["ruff"] for text in files)
    assert ours["line-length"] == theirs["line-length"]
    for table in ("select", "ignore", "mccabe"):
        assert ours["lint"][table] == theirs["lint"][table]
