"""The page of logs: what every record has, and each event where the code writes it."""

import ast
from collections.abc import Iterator

from .events import events
from .markdown import code, codes, page, prose, table
from .source import Source, called, keywords
from .variants import gathered, source

LOGS = "runtime/observability/logs.py"
RENDERING = "runtime/observability/rendering.py"


def text() -> str:
    """The page."""
    rows = [
        (code(one.event), one.level, code(one.logger), codes(one.fields), code(one.where), needs)
        for one, needs in sorted(gathered(events))
    ]
    there = source()
    return page(
        "Logs",
        prose(there.modules[LOGS].summary),
        "## Fields of records",
        table(("Field", "Of", "Set in"), _common(there)),
        f"Never with their values: {codes(_secret(there))}.",
        "## Events",
        table(("Event", "Level", "Logger", "Fields", "Written in", "With"), rows),
    )


def _common(of: Source) -> Iterator[tuple[str, str, str]]:
    for _, node in of.sites(ast.Dict, LOGS):
        names = [key.value for key in node.keys if isinstance(key, ast.Constant)]
        if "event" in names:
            yield from ((code(str(name)), "every record", code(LOGS)) for name in names)
    for _, call in of.sites(ast.Call, RENDERING):
        if called(call) == "RenderJSON":
            for name in keywords(call):
                yield code(name), "every record in JSON", code(RENDERING)
    for site, stored in of.sites(ast.Subscript, RENDERING):
        field = str(stored.slice.value) if isinstance(stored.slice, ast.Constant) else ""
        written = isinstance(stored.ctx, ast.Store) and _inside(site.around) == "complete"
        if written and field not in ("", "timestamp"):
            kind = "an exception" if field == "exception" else "a request"
            yield code(field), kind, code(RENDERING)
    for site, call in of.sites(ast.Call):
        if called(call) == "bind" and _of_request(call):
            for name in keywords(call):
                yield code(name), "a request, once it is set", code(site.module.path)
    bound = {name: "" for _, call in of.sites(ast.Call) if _binds(call) for name in keywords(call)}
    yield from ((code(name), "a logger that has it", "") for name in bound)


def _binds(node: ast.Call) -> bool:
    owner = node.func.value if isinstance(node.func, ast.Attribute) else node
    return called(node) == "bind" and called(owner) == "get_logger"


def _of_request(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and called(node.func.value) == "state"


def _inside(around: tuple[ast.AST, ...]) -> str:
    return str(getattr(around[-1], "name", "")) if around else ""


def _secret(of: Source) -> list[str]:
    found = of.definition(of.modules[RENDERING], "SECRET_FIELDS")
    assert found is not None
    assert isinstance(found[1], ast.Call)
    return sorted(ast.literal_eval(found[1].args[0]))
