"""The page of problems (RFC 9457): where the code makes one, and what the contract promises."""

import ast
from collections.abc import Iterator

from . import contract
from .header_names import pair
from .markdown import code, codes, page, prose, table
from .source import Source, called, is_argument, keywords
from .variants import gathered, source

HOME = "runtime/http/problems.py"
MAKERS = {"Problem", "Refusal", "HTTPException"}
BLANK = "about:blank"
OWN = {"type_", "headers"}  # the arguments that are no members of the problem


def text() -> str:
    """The page."""
    rows = sorted((*row, needs) for row, needs in gathered(problems))
    there = source()
    columns = ("Status", "Type", "Detail", "Headers", "More members", "Made in", "With")
    members = contract.members(there, "Problem", "InvalidRequest", "InvalidValue")
    return page(
        "Problems",
        prose(there.modules[HOME].summary),
        "## What the code answers",
        "The title is what Python's `http.HTTPStatus` calls the status. A status that is no number"
        " is only known when the problem is made, and so is what is between angle brackets.",
        table(columns, rows),
        "## Types in the contract",
        table(("Type", "What it means"), contract.types(there)),
        "## Answers in the contract",
        table(("Operation", "Status", "What it means"), contract.answers(there)),
        "## Members",
        table(("Member", "Of", "Type"), members),
    )


def problems(of: Source) -> Iterator[tuple[str, ...]]:
    """Each problem that the code makes: the cells of its line."""
    for site, node in of.sites(ast.Call):
        if called(node) not in MAKERS or not node.args or site.module.path.startswith("contract/"):
            continue
        given, status = keywords(node), node.args[0]
        number = status.value if isinstance(status, ast.Constant) else None
        if is_argument(site, status):
            continue
        detail = of.text(site, node.args[1]) if len(node.args) > 1 else ""
        yield (
            str(number) if number else code(ast.unparse(status)),
            code(of.text(site, given.get("type_")) or BLANK),
            "..." if detail is None else prose(detail),
            codes(_names(of, site.module.path, given.get("headers"), called(node))),
            codes(name for name in given if name not in OWN),
            code(site.module.path),
        )


def _names(of: Source, path: str, headers: ast.expr | None, maker: str) -> Iterator[str]:
    for key in headers.keys if isinstance(headers, ast.Dict) else ():
        if isinstance(key, ast.Constant):
            yield str(key.value)
    # A refusal is made once, and sent with headers of the moment.
    for _, node in of.sites(ast.Tuple, path) if maker == "Refusal" else ():
        if written := pair(node):
            yield "-".join(part.capitalize() for part in written.split("-"))
