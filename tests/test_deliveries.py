"""What is deployed, for every pair of options: no finding, numbers that follow, mistakes found."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.covering import covering
from tests.option_mistakes import MISTAKES
from tests.rendering import CHOICES, DELIVERY, ROOT, render
from tests.services import environment, make, service

CRDS = ROOT.parent / "shared" / "crds"
LONGEST = "abcdefghi-" * 3 + "abcdefghij"
# Other answers that the manifests follow; one more with each row.
CODE = (
    {"database": "sql", "auth": "none", "config_center": "none"},
    {"database": "none", "auth": "jwt", "config_center": "consul"},
    {"database": "sql", "auth": "jwt", "config_center": "nacos"},
    {"database": "none", "auth": "none", "config_center": "etcd"},
)
ROWS = [
    row | CODE[number % len(CODE)]
    for number, row in enumerate(covering({name: CHOICES[name] for name in DELIVERY}))
]
# Each option that has a number of its own.
FULL: Mapping[str, Mapping[str, str]] = {
    "rollouts": {
        "progressive_delivery": "argo-rollouts",
        "gitops": "argocd",
        "multi_cluster": "karmada",
        "edge": "k3s",
        "policy": "kyverno",
    },
    "gateway": {
        "progressive_delivery": "gateway-api",
        "gitops": "argocd",
        "multi_cluster": "karmada",
        "edge": "kubeedge",
        "policy": "admission",
        "config_center": "etcd",
    },
}
# These start programs of others; the tests of the service run them.
SLOW = ("cluster", "linters", "monitoring")


@pytest.fixture(scope="module")
def python() -> Iterator[Path]:
    """The interpreter of a service that has what every option needs."""
    with service("deliveries", auth="jwt", policy="kyverno") as folder:
        make(folder, "setup")
        yield folder / ".venv" / "bin" / "python"


def _run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    extra = {"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    if CRDS.exists():
        extra["CRDS"] = str(CRDS)
    return subprocess.run(
        [python, *arguments],
        cwd=folder,
        env={**environment(), **extra},
        capture_output=True,
        text=True,
        check=False,
    )


def _check(python: Path, answers: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = render(Path(scratch), **answers)
        modules = folder.joinpath("tools", "manifests", "checks").glob("[a-z]*.py")
        quick = sorted({path.stem for path in modules} - set(SLOW))
        options = [word for name in quick for word in ("--only", name)]
        # Strict: a kind without a definition is no better than a finding.
        strict = ["--strict"] if CRDS.exists() else []
        return _run(python, folder, "-m", "tools.manifests", *options, *strict)


def _cases() -> Mapping[str, Mapping[str, str]]:
    """Every pair of options with each length of names, and the limits of every number."""
    slugs = ("order-intake", LONGEST)
    cases = {
        f"pairs-{number}": row | {"project_slug": slugs[number % 2]}
        for number, row in enumerate(ROWS)
    }
    least = {"request_timeout": "1", "drain_delay": "5", "memory_mib": "192"}
    most = {"request_timeout": "300", "drain_delay": "120", "memory_mib": "65536"}
    return {**cases, "least": {**FULL["rollouts"], **least}, "most": {**FULL["gateway"], **most}}


CASES = _cases()


@pytest.fixture(scope="module")
def checked(
    python: Path, request: pytest.FixtureRequest
) -> Iterator[Mapping[str, "Future[subprocess.CompletedProcess[str]]"]]:
    """The checks of the cases of this run, two at a time."""
    names = [
        name for name in CASES if any(f"[{name}]" in one.name for one in request.session.items)
    ]
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(_check, python, CASES[name]) for name in names}


@pytest.mark.parametrize("case", list(CASES))
def test_there_is_no_finding(
    case: str, checked: Mapping[str, "Future[subprocess.CompletedProcess[str]]"]
) -> None:
    done = checked[case].result()
    assert done.returncode == 0, f"{CASES[case]}\n{done.stdout}{done.stderr}"


def test_custom_resources_were_held_against_their_definitions() -> None:
    if not CRDS.exists():
        pytest.skip("the definitions of custom resources are not here (../shared/crds)")
    assert any("kind: CustomResourceDefinition" in one.read_text("utf-8") for one in CRDS.iterdir())


@cache
def _numbers(options: str, request: int, drain: int, memory: int) -> Mapping[tuple[str, ...], Any]:
    """Every value of every object that is deployed, by where it is."""
    answers = {
        "request_timeout": str(request),
        "drain_delay": str(drain),
        "memory_mib": str(memory),
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = render(Path(scratch), **FULL[options], **answers)
        places = [
            path.parent
            for pattern in ("kustomize/overlays/*", "*")
            for path in folder.glob(f"deploy/{pattern}/kustomization.yaml")
        ]
        with ThreadPoolExecutor(2) as pool:
            found = dict(zip(places, pool.map(_kustomized, places), strict=True))
        compose = folder / "deploy" / "compose" / "compose.yaml"
        found[compose] = [yaml.safe_load(compose.read_text(encoding="utf-8"))]
        return {
            (place.relative_to(folder).as_posix(), str(one.get("kind", number)), *path): value
            for place, objects in found.items()
            for number, one in enumerate(objects)
            for path, value in _leaves(one)
        }


def _kustomized(folder: Path) -> list[Any]:
    command = ["kubectl", "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        # An object by its name: another may stand before it.
        pairs = (
            (one.get("name", n) if isinstance(one, dict) else n, one) for n, one in enumerate(value)
        )
    else:
        yield path, value
    for key, one in pairs:
        yield from _leaves(one, (*path, str(key)))


def _expected(path: tuple[str, ...], value: Any, request: int, drain: int, memory: int) -> object:
    """What a value has to be; itself where no answer decides it."""
    termination = request + drain + 15
    edge = "overlays/edge" in path[0]  # a small node's pods have a size of their own
    match path[-3:]:
        case (_, _, "terminationGracePeriodSeconds"):
            return termination
        case (_, "timeouts", "backendRequest"):
            return f"{request + 1}s"
        case (_, "timeouts", "request"):
            return f"{request + 2}s"
        case (_, _, "scaleDownDelaySeconds" | "abortScaleDownDelaySeconds"):
            return drain + 30
        case ("resources", _, "memory") if not edge:
            return f"{memory}Mi"
        case (_, _, "mem_limit") if "service" in path:
            return f"{memory}m"
        case (_, _, "stop_grace_period") if "service" in path:
            return f"{request + 15}s"  # it does not drain there
        case (_, _, "expression" | "message") if "terminationGracePeriodSeconds" in str(value):
            return value if str(termination) in str(value) else f"... {termination} ..."
        case _:
            return value


@pytest.mark.parametrize("options", list(FULL))
def test_every_number_follows_its_answer(options: str) -> None:
    small, large = (5, 5, 256), (8, 7, 512)
    before, after = _numbers(options, *small), _numbers(options, *large)
    assert before.keys() == after.keys()
    for found, answers in ((before, small), (after, large)):
        wrong = {
            path: value
            for path, value in found.items()
            if _expected(path, value, *answers) != value
        }
        assert not wrong
    changed = {path[-1] for path in before if before[path] != after[path]}
    follows = {"terminationGracePeriodSeconds", "backendRequest", "request", "memory", "mem_limit"}
    follows |= {"stop_grace_period", "expression", "message"}
    if options == "rollouts":
        follows |= {"scaleDownDelaySeconds", "abortScaleDownDelaySeconds"}
    assert changed == follows


def test_the_settings_follow_too(tmp_path: Path) -> None:
    folder = render(tmp_path, request_timeout="8", drain_delay="7")
    text = folder.joinpath("src", "orders", "settings.py").read_text(encoding="utf-8")
    assert "request_timeout: Hot[Seconds] = 8.0\n" in text
    assert "drain_delay: SecondsOrZero = 7.0\n" in text
    assert "grace: Seconds = 13.0 " in text
    assert "`APP_HTTP__REQUEST_TIMEOUT` (8 s)" in folder.joinpath("README.md").read_text("utf-8")


# Runs in the service, with its own tests' helpers.
PROBE = """
import json, sys, tempfile
from pathlib import Path
from tests.deploy.mistake import Mistake
from tests.deploy.support import QUICK, copied, project, rules
from tools.package import ROOT
from tools.manifests.rendering import render, render_all

whole = {one.name: one for one in render_all(ROOT)}
checks = [name for name in QUICK if name != "schemas"]
answers = []
for folder, file, old, new, rule in json.load(sys.stdin):
    # What Argo CD names is in the other folders.
    around = whole if "argocd" in folder else {folder: whole[folder]}
    with tempfile.TemporaryDirectory() as scratch:
        root = copied(Path(scratch))
        Mistake("", file, old, new, rule).make(root, {})
        changed = around | {folder: render(root, root / folder)}
        found = rules(project(*changed.values(), root=root), checks)
        answers.append(sorted(found - rules(project(*around.values()), checks)))
print(json.dumps(answers))
"""


@pytest.mark.parametrize("options", list(FULL))
def test_mistakes_in_the_options_are_found(options: str, python: Path, tmp_path: Path) -> None:
    folder = render(tmp_path, **FULL[options])
    wanted = [
        (folder, file, *edit)
        for (folder, file), edits in MISTAKES[options].items()
        for edit in edits
    ]
    done = subprocess.run(
        [python, "-c", PROBE],
        input=json.dumps(wanted),
        cwd=folder,
        env=environment(PYTHONPATH=f"{folder / 'src'}:{folder}"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    missed = {
        mistake: found
        for mistake, found in zip(wanted, json.loads(done.stdout), strict=True)
        if mistake[-1] not in found
    }
    assert not missed
