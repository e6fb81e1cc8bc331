"""Edits of files that their owner has changed: exact where the place is clear, refused else."""

import ast
import textwrap
from pathlib import Path

import pytest

from tools.grow import python_edits as python
from tools.grow import yaml_edits
from tools.grow.change import install
from tools.grow.python_edits import NoPlace
from tools.grow.refusal import Refusal
from tools.grow.service import Growth

APP = '''\
"""Ma\u00dfgeschneidert."""
from .api.b import BHandler
from .zoo import (Ape,  # kept
  Bee)

def build():
    """build_router(x=YHandler())"""
    é = {"größe": open_it(boxes={"a": ape()})}
    return build_router(
        a=AHandler(é),  # a's own comment
        check = True)
'''


def test_an_argument_goes_behind_those_like_it() -> None:
    made = python.with_argument(APP, "build_router", "n=NHandler(1)", like="Handler")
    before, after = "        a=AHandler(é),  # a's own comment\n", "        n=NHandler(1),\n"
    assert made == APP.replace(before, before + after)
    ast.parse(made)


def test_on_one_line_it_stays_on_it() -> None:
    made = python.with_argument("x = f(a=AHandler(), b=1)\n", "f", "n=NHandler()", like="Handler")
    assert made == "x = f(a=AHandler(), n=NHandler(), b=1)\n"


def test_an_entry_goes_into_the_dictionary() -> None:
    made = python.with_entry(APP, "open_it", "boxes", '"n": new()')
    assert made == APP.replace('"a": ape()}', '"a": ape(), "n": new()}')
    assert python.with_entry("f(boxes={})", "f", "boxes", '"n": 1') == 'f(boxes={"n": 1})'


def test_an_import_goes_to_its_place_in_the_order() -> None:
    first = "from .api.b import BHandler\n"
    assert python.with_import(APP, ".api.c", "C") == APP.replace(
        first, f"{first}from .api.c import C\n"
    )
    assert python.with_import(APP, ".api.b", "BHandler") == APP
    more = python.with_import(first, ".api.b", "A")
    assert more == "from .api.b import A, BHandler\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "build_router()",
        "build_router(**handlers)",
        "build_router(a=a_handler)",
        "build_router(a=AHandler()); build_router(a=AHandler())",
        "self.build_router(a=AHandler())",
    ],
)
def test_a_call_that_is_unclear_is_refused(text: str) -> None:
    with pytest.raises(NoPlace):
        python.with_argument(text, "build_router", "n=NHandler()", like="Handler")


CONTRACT = """\
tags:  # what there is
  - name: a
# of the paths
paths:
    /a:
        get: {x: 1}
        # the last of it

# of the rest
components:
  schemas:
    A: |
      text

"""


def test_comments_and_indents_of_a_document_stay() -> None:
    made = yaml_edits.with_item(CONTRACT, ("tags",), "name: n")
    assert made == CONTRACT.replace("  - name: a\n", "  - name: a\n  - name: n\n")
    made = yaml_edits.with_keys(CONTRACT, ("paths",), "/n:\n  get: {}\n")
    kept = "        # the last of it\n"
    assert made == CONTRACT.replace(kept, kept + "    /n:\n      get: {}\n")
    made = yaml_edits.with_keys(CONTRACT, ("components", "schemas"), "N: 1\n")
    assert made == CONTRACT.replace("      text\n", "      text\n    N: 1\n")


@pytest.mark.parametrize("text", ["", "tags: []", "tags: [{name: a}]", "tags: {", "paths: {}"])
def test_a_document_without_the_place_is_refused(text: str) -> None:
    with pytest.raises(NoPlace):
        yaml_edits.with_item(text, ("tags",), "name: n")


def test_each_list_of_variables_has_the_new_one() -> None:
    text = textwrap.dedent("""\
        - env:
            - name: OF_A
              value: 1  # one
            - name: OTHER
        - env: [{name: OF_A}]
        - env:
          - name: OF_A
            value: 2
    """)
    made = yaml_edits.with_variable(text, r"OF_\w", "OF_N", "3")
    new = "- name: OF_N\n{0}  value: 3\n"
    expected = text.replace("# one\n", "# one\n    " + new.format("    "))
    expected += "  " + new.format("  ")
    assert made == expected


def test_the_place_that_is_missing_is_said_with_what_to_add(tmp_path: Path) -> None:
    tmp_path.joinpath("app.py").write_text("x = 1\n")
    edit = Growth(tmp_path).edit("app.py", "an argument of f: n=1")
    found_no_call = pytest.raises(Refusal, match=r"^app\.py: found no call of f")
    with found_no_call as refused, edit as file:
        python.call(file.text, "f")
    assert refused.value.by_hand == "an argument of f: n=1"


def test_what_cannot_be_put_in_place_leaves_all_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a\n")
    (tmp_path / "c.py").write_text("c\n")
    (tmp_path / ".c.py.old").mkdir()  # in the way of the third rename
    (tmp_path / ".c.py.old" / "mine").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Refusal, match="nothing was changed"):
        install(tmp_path, {"a.py": "A\n", "b.py": "B\n", "c.py": "C\n"})
    assert sorted(tmp_path.rglob("*")) == before
    assert [(tmp_path / name).read_text() for name in ("a.py", "c.py")] == ["a\n", "c\n"]


def test_what_differs_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a\n")
    (tmp_path / "a.py").chmod(0o755)
    (tmp_path / "b.py").write_text("b\n")
    assert install(tmp_path, {"a.py": "A\n", "b.py": "b\n", "c.py": "C\n"}) == ["a.py", "c.py"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "b.py", "c.py"]
    assert (tmp_path / "a.py").stat().st_mode & 0o777 == 0o755
