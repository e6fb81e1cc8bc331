"""The page of the template's questions: `cookiecutter.json`."""

import json
from typing import Any

from tests.rendering import ROOT

from .markdown import code, page, prose, table


def text() -> str:
    """The page."""
    asked = json.loads(ROOT.joinpath("cookiecutter.json").read_text(encoding="utf-8"))
    prompts = asked["__prompts__"]
    names = [name for name in asked if not name.startswith("_")]
    rows = [
        (f"[{code(name)}](#{name})", _prompt(prompts[name]), _default(asked[name]))
        for name in names
    ]
    return page(
        "Questions",
        "What `cookiecutter` asks. `cookiecutter --no-input ... name=answer` answers without"
        " asking; what is not named has its default.",
        table(("Name", "Question", "Default"), rows),
        *(_question(name, prompts[name], asked[name]) for name in names),
    )


def _question(name: str, prompt: Any, answer: Any) -> str:
    heading = f"## {code(name)}\n\n{_prompt(prompt)}."
    if not isinstance(answer, list):
        return f"{heading}\n\nDefault: {_default(answer)}"
    rows = [
        (code(one), prose(prompt[one]), "default" if one == answer[0] else "") for one in answer
    ]
    return f"{heading}\n\n{table(('Answer', 'What it brings', ''), rows)}"


def _prompt(prompt: Any) -> str:
    return prose(prompt["__prompt__"] if isinstance(prompt, dict) else prompt)


def _default(answer: Any) -> str:
    return code(answer[0] if isinstance(answer, list) else answer)
