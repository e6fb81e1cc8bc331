"""The matrix is worth something: a template with one mistake in it does not get through.

Each mistake is made in a copy of the template, and the check that is for it has to say so.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.matrix.checking import Checks, read
from tests.matrix.combinations import Combination
from tests.matrix.slot import slot
from tests.rendering import CHOICES, ROOT, TEMPLATE, generate

SERVICE = TEMPLATE.name
PACKAGE = f"{SERVICE}/src/{{{{cookiecutter.__package_name}}}}"
JWT = '# jinja: if cookiecutter.auth == "jwt"\n'
HOOK = "hooks/post_gen_project.py"


class Mutation(NamedTuple):
    """One mistake.

    Attributes:
        file: where, below the template's root.
        old: what stands there, and goes.
        new: what is there instead.
        check: which of the matrix' checks finds it: `read`, or a method of `Checks`.
        said: words of what it says.
        answers: those that differ from the defaults.
    """

    file: str
    old: str
    new: str
    check: str
    said: str
    answers: dict[str, str]


MUTATIONS = {
    "a folder is not pruned": Mutation(
        HOOK, '        "src/<package>/runtime/auth",\n', "", "read", "src imports jwt", {}
    ),
    "a file is not pruned": Mutation(
        HOOK,
        '    "src/<package>/runtime/config/sources/etcd_api.py",\n',
        "",
        "read",
        "etcd_api.py is an orphan",
        {},
    ),
    "a test of another answer is not pruned": Mutation(
        HOOK, '        "tests/integration/auth",\n', "", "lint", "runtime.auth", {}
    ),
    "a file too many is pruned": Mutation(
        HOOK,
        '        "src/<package>/runtime/auth",\n',
        '        "src/<package>/runtime/auth",\n        "src/<package>/runtime/deadlines.py",\n',
        "start",
        "cannot import name 'deadlines'",
        {},
    ),
    "an import is left in": Mutation(
        f"{PACKAGE}/app.py",
        f"{JWT}from .runtime.auth.opening import open_authorizer\n# jinja: endif\n",
        "from .runtime.auth.opening import open_authorizer\n",
        "start",
        "No module named 'orders.runtime.auth'",
        {},
    ),
    "a dependency is not declared": Mutation(
        f"{SERVICE}/pyproject.toml", '    "orjson>=3.13",\n', "", "read", "src imports orjson", {}
    ),
    "a dependency is not pinned": Mutation(
        f"{SERVICE}/requirements.txt", "\norjson==", "\norjson-of-others==", "read", "orjson is", {}
    ),
    "a dependency has no use any more": Mutation(
        f"{SERVICE}/pyproject.toml",
        '    "orjson>=3.13",\n',
        '    "orjson>=3.13",\n    "stamina>=25",\n',
        "read",
        "stamina is an orphan",
        {},
    ),
    "a question is left unanswered": Mutation(
        f"{SERVICE}/deploy/image.md",
        "# ",
        "# {% raw %}{{ cookiecutter.project_slug }}{% endraw %}: ",
        "read",
        "deploy/image.md holds",
        {},
    ),
    "an option's words stand outside of its guard": Mutation(
        f"{SERVICE}/deploy/kustomize/overlays/production/environment.yaml",
        JWT,
        '# jinja: if cookiecutter.auth != "other"\n',
        "manifests",
        "APP_AUTH__",
        {},
    ),
    "the oldest Python cannot read it": Mutation(
        f"{PACKAGE}/domain/orders.py",
        "\nimport hashlib\n",
        "\nimport hashlib\n\ntype Cents = int\n",
        "lint",
        "type",
        {},
    ),
    "a room knows one that it must not know": Mutation(
        f"{PACKAGE}/domain/orders.py",
        "from typing import Protocol\n\n",
        "from typing import Protocol\n\nfrom ..runtime import deadlines\n\nLATEST = deadlines\n",
        "lint",
        "BROKEN",
        {"database": "none"},
    ),
    "a file is not in the wheel": Mutation(
        f"{SERVICE}/pyproject.toml",
        "[tool.hatch.build.targets.wheel]\n",
        '[tool.hatch.build.targets.wheel]\nexclude = ["*.css"]\n',
        "start",
        "console.css",
        {},
    ),
}


@pytest.fixture(scope="module")
def checks() -> Iterator[Checks]:
    """Which remember what they have found right, and nothing else."""
    with slot() as place:
        yield Checks(place)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A copy of what Cookiecutter reads."""
    root = tmp_path / "template"
    for name in ("hooks", SERVICE):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "cookiecutter.json", root)
    return root


@pytest.mark.parametrize("mistake", list(MUTATIONS))
def test_a_mistake_is_found(mistake: str, template: Path, checks: Checks, tmp_path: Path) -> None:
    mutation = MUTATIONS[mistake]
    path = template / mutation.file
    text = path.read_text(encoding="utf-8")
    assert mutation.old in text, f"{mutation.file} has changed: make this mistake in another way"
    path.write_text(text.replace(mutation.old, mutation.new, 1), encoding="utf-8")
    answers = {name: choices[0] for name, choices in CHOICES.items()} | mutation.answers
    made = generate(tmp_path, answers, template=template)
    assert made.returncode == 0, made.stderr
    service = tmp_path / "orders"
    found: Callable[[], None] = (
        (lambda: read(service, answers))
        if mutation.check == "read"
        else lambda: getattr(checks, mutation.check)(Combination(mistake, answers), service)
    )
    with pytest.raises(AssertionError, match=mutation.said):
        found()
