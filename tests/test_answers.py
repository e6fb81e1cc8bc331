"""Which answers are refused, and how; which strange ones work all the same."""

import json
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from hooks import pre_gen_project as hook
from tests.rendering import CHOICES, ROOT, generate, render, texts
from tests.services import environment

SLUGS = {
    "": "already exists",
    "a": "2 to 40 characters",
    "a" * 41: "2 to 40 characters",
    "Orders": "lower-case",
    "orders_api": "lower-case",
    "1orders": "lower-case",
    "-orders": "lower-case",
    "orders-": "lower-case",
    "or--ders": "lower-case",
    "or ders": "lower-case",
    "bestellungen-für": "lower-case",
    "../orders": "lower-case",
    "orders;ls": "lower-case",
    "class": "Python language",
    "json": "standard library",
    "concurrent": "standard library",
    "distutils": "standard library",
    "fastapi": "depends on",
    "prometheus-client": "depends on",
    "tests": "template uses",
    "steadfast-service": "template uses",
}
LINES = {
    "": "empty",
    " padded": "space",
    "two\nlines": "one line",
    "tab\tinside": "one line",
    "bell\x07": "one line",
    "separator\u2028inside": "one line",
    "reversed \u202etext": "one line",
    "x" * 121: "at most",
}


@pytest.mark.parametrize(("slug", "reason"), list(SLUGS.items())[1:])
def test_a_bad_slug_is_refused(slug: str, reason: str) -> None:
    (line,) = hook.problems(_answers(project_slug=slug))
    assert line.startswith("project_slug: ")
    assert reason in line


@pytest.mark.parametrize("question", ["description", "author"])
@pytest.mark.parametrize(("text", "reason"), list(LINES.items()))
def test_a_bad_line_is_refused(question: str, text: str, reason: str) -> None:
    (line,) = hook.problems(_answers(**{question: text}))
    assert line.startswith(f"{question}: ")
    assert reason in line
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("opening", ["{{", "{%", "{#"])
def test_a_line_that_jinja_would_read_is_refused(opening: str) -> None:
    (line,) = hook.problems(_answers(description=f"x {opening} y"))
    assert "Jinja" in line


@pytest.mark.parametrize(
    ("question", "least", "most"),
    [("request_timeout", 1, 300), ("drain_delay", 5, 120), ("memory_mib", 192, 65536)],
)
def test_a_number_is_a_whole_one_within_its_limits(question: str, least: int, most: int) -> None:
    for good in (least, most):
        assert not list(hook.problems(_answers(**{question: str(good)})))
    beyond = [str(least - 1), str(most + 1)]
    bad = ["", "five", "5.5", "-5", "5s", "1e1", " 5", "\u0665", "0x10", *beyond]
    for text in bad:
        (line,) = hook.problems(_answers(**{question: text}))
        assert line.startswith(f"{question}: a whole number from {least} to {most}; got ")


@pytest.mark.parametrize(
    ("image", "good"),
    [
        ("registry.example.com/orders", True),
        ("registry.example.com/shop/team-a/orders", True),
        ("localhost:5000/orders", True),
        ("registry.example.com:443/shop/orders_api", True),
        ("", False),
        ("orders", False),  # a registry of whichever the node asks first
        ("shop/orders", False),
        ("registry.example.com/", False),
        ("registry.example.com/orders:1.0", False),
        ("registry.example.com/orders@sha256:0", False),
        ("registry.example.com/Orders", False),
        ("https://registry.example.com/orders", False),
        ("registry.example.com/or ders", False),
        ("registry.example.com/orders\n", False),
    ],
)
def test_an_image_has_a_registry_and_no_tag(image: str, good: bool) -> None:
    lines = list(hook.problems(_answers(image=image)))
    assert not lines if good else lines[0].startswith("image: ") and len(lines) == 1


@pytest.mark.parametrize(
    ("repository", "good"),
    [
        ("https://git.example.com/shop/orders.git", True),
        ("ssh://git@git.example.com:2222/shop/orders.git", True),
        ("git@git.example.com:shop/orders.git", True),
        ("", False),
        ("orders.git", False),
        ("http://git.example.com/orders.git", False),
        ("file:///srv/orders.git", False),
        ("https://git.example.com/or ders.git", False),
        ('https://git.example.com/"orders".git', False),
        ("https://git.example.com/orders.git\n", False),
    ],
)
def test_a_repository_is_an_address_of_git(repository: str, good: bool) -> None:
    lines = list(hook.problems(_answers(repository=repository)))
    assert not lines if good else lines[0].startswith("repository: ") and len(lines) == 1


@pytest.mark.parametrize("question", list(CHOICES))
def test_a_choice_from_a_replayed_file_is_checked(question: str) -> None:
    (line,) = hook.problems(_answers(**{question: "other"}))
    assert line.startswith(f"{question}: choose one of ")


def test_the_defaults_and_the_longest_names_are_accepted() -> None:
    assert not list(hook.problems(_answers()))
    assert not list(hook.problems(_answers(project_slug="ab")))
    assert not list(hook.problems(_answers(project_slug="abcdefghi-" * 3 + "abcdefghij")))


def test_the_choices_are_the_same_everywhere() -> None:
    questions = json.loads(ROOT.joinpath("cookiecutter.json").read_text(encoding="utf-8"))
    assert {name: tuple(questions[name]) for name in CHOICES} == CHOICES == hook.CHOICES
    labels = questions["__prompts__"]
    assert set(labels) == {name for name in questions if not name.startswith("_")}
    for name, choices in CHOICES.items():
        assert set(labels[name]) == {"__prompt__", *choices}


@pytest.mark.parametrize(
    ("answers", "questions"),
    [
        ({"project_slug": "Orders"}, ["project_slug"]),
        ({"project_slug": "../outside"}, ["project_slug"]),
        ({"project_slug": "json"}, ["project_slug"]),
        ({"description": "two\nlines"}, ["description"]),
        ({"project_slug": "httpx", "author": "a\tb"}, ["project_slug", "author"]),
        # Others are computed from these.
        ({"request_timeout": "soon", "drain_delay": "1"}, ["request_timeout", "drain_delay"]),
        ({"memory_mib": "128", "image": "orders"}, ["memory_mib", "image"]),
    ],
)
def test_a_refusal_is_one_line_and_leaves_nothing(
    tmp_path: Path, answers: dict[str, str], questions: list[str]
) -> None:
    done = _generate(tmp_path, **answers)
    assert done.returncode == 1
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == questions
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.joinpath("out").iterdir())
    assert not list(tmp_path.glob("outside*"))


def test_an_unknown_choice_leaves_nothing(tmp_path: Path) -> None:
    done = _generate(tmp_path, database="mysql")
    assert done.returncode == 1
    assert "mysql provided for choice variable database" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.joinpath("out").iterdir())


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    render(tmp_path)
    before = texts(tmp_path)
    done = generate(tmp_path, {})
    assert done.returncode == 1
    assert "already exists" in done.stdout
    assert texts(tmp_path) == before


@pytest.mark.parametrize(
    "text",
    [
        'Says "hello" and \\n, it\'s',
        "Zażółć gęślą jaźń — 注文 🫖",
        "# not a comment: [or] {a: table}, & * ! | > % @ `",
        "$(rm -rf build) ${HOME} `id`",
        "</script><b>&amp;",
    ],
)
def test_quotes_and_foreign_letters_survive(tmp_path: Path, text: str) -> None:
    service = render(tmp_path, description=text, author=text, license="MIT")
    project = tomllib.loads(service.joinpath("pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["description"] == text
    assert project["project"]["authors"] == [{"name": text}]
    assert f"Copyright (c) {text}\n" in service.joinpath("LICENSE").read_text(encoding="utf-8")
    for path in service.rglob("*.y*ml"):
        list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    for path in service.rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), path.name, "exec")


def test_what_to_do_next_is_three_lines(tmp_path: Path) -> None:
    done = _generate(tmp_path, project_slug="order-intake")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert "cd order-intake && make setup run" in lines[1]


def _generate(tmp_path: Path, **answers: str) -> subprocess.CompletedProcess[str]:
    tmp_path.joinpath("out").mkdir()
    # A home of its own, where Cookiecutter notes the answers for a replay.
    return generate(tmp_path / "out", answers, environment(HOME=str(tmp_path / "home")))


def _answers(**changed: str) -> dict[str, str]:
    lines = {"project_slug": "orders", "description": "Sells tea", "author": "A team"}
    delivery = {
        "request_timeout": "5",
        "drain_delay": "5",
        "memory_mib": "256",
        "image": "registry.example.com/orders",
        "repository": "https://git.example.com/orders.git",
    }
    return lines | delivery | {name: choices[0] for name, choices in CHOICES.items()} | changed
