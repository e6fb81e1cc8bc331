"""Any answer at all: refused in one line for each question, or it works wherever it stands."""

import importlib.util
import json
import keyword
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hooks import pre_gen_project as hook
from tests.rendering import CHOICES, render

DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123
LONGEST_SUFFIX = len("-canary-headers")  # of the manifests' names
TEXT = st.text(max_size=130) | st.text(
    "ab '\"\\{}[]%#$`&|<>:!*@?-_=,;~\u00e9\u6ce8\u202e\n\t", max_size=130
)
SLUG = st.text("abcxyz019-_. /", max_size=45) | st.sampled_from(
    sorted({*keyword.kwlist, *hook.DEPENDENCIES, *hook.RESERVED, *hook.OTHER_STDLIB})
)
# Each starts Cookiecutter: some seconds in all.
FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
MANY = settings(max_examples=500, deadline=None)


def answers(**changed: str) -> dict[str, str]:
    """What Cookiecutter would tell the hook."""
    questions = json.loads(
        Path(hook.__file__).parent.parent.joinpath("cookiecutter.json").read_text()
    )
    plain = {name: value for name, value in questions.items() if isinstance(value, str)}
    plain["image"] = "registry.example.com/orders"
    plain["repository"] = "https://git.example.com/orders.git"
    return plain | {name: choices[0] for name, choices in CHOICES.items()} | changed


@MANY
@given(st.dictionaries(st.sampled_from(sorted(answers())), TEXT))
def test_whatever_is_typed_is_taken_or_refused_in_one_line_each(changed: dict[str, str]) -> None:
    lines = list(hook.problems(answers(**changed)))
    named = [line.partition(": ")[0] for line in lines]
    assert set(named) <= changed.keys()
    assert len(set(named)) == len(named)
    assert all(len(line.splitlines()) == 1 and line.isprintable() for line in lines)


@MANY
@given(SLUG)
def test_a_name_that_is_taken_is_one_for_python_and_kubernetes(slug: str) -> None:
    if list(hook.problems(answers(project_slug=slug, image="registry.example.com/x"))):
        return
    package = slug.replace("-", "_")
    assert package.isidentifier()
    assert not keyword.iskeyword(package)
    assert importlib.util.find_spec(package) is None
    assert DNS_LABEL.fullmatch(slug)
    assert len(slug) + LONGEST_SUFFIX <= 63


@FEW
@given(
    TEXT.filter(lambda text: not list(hook.problems(answers(description=text)))),
    TEXT.filter(lambda text: not list(hook.problems(answers(author=text)))),
    st.sampled_from(CHOICES["license"]),
)
def test_a_text_that_is_taken_arrives_unchanged(
    description: str, author: str, licence: str
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        service = render(
            Path(scratch),
            description=description,
            author=author,
            license=licence,
            policy="kyverno",
            helm="yes",
        )
        project = tomllib.loads(service.joinpath("pyproject.toml").read_text(encoding="utf-8"))
        assert project["project"]["description"] == description
        assert project["project"]["authors"] == [{"name": author}]
        assert author in service.joinpath("LICENSE").read_text(encoding="utf-8")
        assert f"\n{description}\n" in service.joinpath("README.md").read_text(encoding="utf-8")
        for path in [*service.rglob("*.yml"), *service.rglob("*.yaml")]:
            assert list(yaml.safe_load_all(path.read_text(encoding="utf-8"))), path
        for path in service.rglob("*.py"):
            compile(path.read_text(encoding="utf-8"), path.name, "exec")
        for path in service.rglob("*.sh"):
            subprocess.run(["sh", "-n", path], check=True)
        subprocess.run(["make", "-n", "run"], cwd=service, check=True, capture_output=True)
