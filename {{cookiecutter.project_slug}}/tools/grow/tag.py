"""A new tag of the contract: operations, handler, domain, store or dependency, wiring, tests."""

import re
from pathlib import Path

from ..package import PACKAGE, ROOT
from . import dependency, table, yaml_edits
from . import python_edits as python
from .names import checked, singular, title, words
from .refusal import Refusal
from .service import APP, CONTRACT, Growth

SCOPES = re.compile(r"^SCOPE \?= .*$", re.MULTILINE)
BEARER = "bearerAuth"
SECURITY = 'security: [{ bearerAuth: ["%s"] }]'
# With the indent of the answers that they stand among.
REFUSED = """\
"401": { $ref: "#/components/responses/Unauthenticated" }
      "403": { $ref: "#/components/responses/Forbidden" }"""


def tag(given: str, one: str = "", source: str = "", root: Path = ROOT) -> Growth:
    """What to write for it. Raises `Refusal`.

    Args:
        given: the tag, in the plural.
        one: one of them; empty: the regular singular.
        source: the dependency that knows them; empty: they are stored here.
    """
    many = checked(given)
    single = checked(one or singular(many))
    if single == many:
        raise Refusal(f"ONE={one}: one of them needs a name of its own")
    growth = Growth(
        root,
        many=many,
        Many=title(many),
        one=single,
        One=title(single),
        path=many.replace("_", "-"),
        word=words(single),
        words=words(many),
        Words=words(many).capitalize(),
        source=source.replace("-", "_"),
        SOURCE=source.replace("-", "_").upper(),
    )
    kind = "dependency" if source else "store"
    secured = _contract(growth, many, single, kind)
    handed = _from_dependency(growth, source) if source else _from_store(growth, many)
    _wiring(growth, many, handed)
    if secured:
        _scopes(growth, many, stored=not source)
    package = f"src/{PACKAGE}"
    growth.new(f"{package}/api/{many}.py", growth.text(f"tag/api_{kind}.py"))
    growth.new(f"{package}/domain/{many}.py", growth.text(f"tag/domain_{kind}.py"))
    where = 'f"{PATH}/tea"' if source else "PATH"
    guard = "\n" + growth.text("tag/secured.py", where=where) + "\n" if secured else ""
    test = growth.text(f"tag/test_{kind}.py", secured=guard)
    growth.new(f"tests/integration/test_{many}_api.py", test)
    return growth


def _contract(growth: Growth, many: str, one: str, kind: str) -> bool:
    """The tag with its paths and schemas; whether callers must show a token."""
    made = title(one)
    with growth.edit(CONTRACT, f"the tag {many} with its paths and schemas") as file:
        secured = BEARER in yaml_edits.keys(file.text, "components", "securitySchemes")
        needed = {"NotFound", "InvalidRequest", "UnexpectedProblem"}
        needed |= {"Unauthenticated", "Forbidden"} if secured else set()
        lacking = needed - yaml_edits.keys(file.text, "components", "responses")
        if lacking:
            raise Refusal(f"{CONTRACT}: components/responses lacks {', '.join(sorted(lacking))}")
        for schema in (made, f"{made}Id", f"{made}Page", f"New{made}"):
            if schema in yaml_edits.keys(file.text, "components", "schemas"):
                raise Refusal(f"{CONTRACT}: there is a schema {schema}; name them with ONE=...")
        if many in yaml_edits.names(file.text, "tags"):
            raise Refusal(f"NAME={many}: {CONTRACT} has such a tag already")
        path = f"/api/{many.replace('_', '-')}"
        if taken := [one for one in yaml_edits.keys(file.text, "paths") if one.startswith(path)]:
            raise Refusal(f"NAME={many}: {CONTRACT} has the path {min(taken)} already")
        clauses = _clauses(many, secured=secured)
        paths = "\n" + _cleaned(growth.text(f"tag/paths_{kind}.yaml", **clauses))
        file.text = yaml_edits.with_item(file.text, ("tags",), f"name: {many}")
        file.text = yaml_edits.with_keys(file.text, ("paths",), paths)
        schemas = "\n" + growth.text(f"tag/schemas_{kind}.yaml")
        file.text = yaml_edits.with_keys(file.text, ("components", "schemas"), schemas)
    return secured


def _clauses(many: str, *, secured: bool) -> dict[str, str]:
    """What operations say of tokens: nothing, where the contract knows none."""
    if not secured:
        return {"read": "", "write": "", "refused": ""}
    return {
        "read": SECURITY % f"{many}:read",
        "write": SECURITY % f"{many}:write",
        "refused": REFUSED,
    }


def _cleaned(text: str) -> str:
    """Without the lines on which nothing was filled in."""
    return re.sub(r"^ +\n", "", text, flags=re.MULTILINE)


def _from_dependency(growth: Growth, source: str) -> str:
    """The expression of what a gateway of the service knows."""
    name = source.replace("-", "_")
    if name not in dependency.names(growth):
        raise Refusal(f"FROM={source}: no such dependency; first: make dependency NAME={source}")
    gateway = f"Http{title(name)}"
    with growth.edit(f"src/{PACKAGE}/gateways/{name}.py") as file:
        if "find" not in python.class_names(file.text, gateway):
            raise Refusal(f"FROM={source}: {gateway} has no method find(item_id) -> str | None")
    with growth.edit(APP) as file:
        clients = python.assigned_name(file.text, "open_dependencies")
        file.text = python.with_import(file.text, f".gateways.{name}", gateway)
    return f'{gateway}({clients}["{name}"])'


def _from_store(growth: Growth, many: str) -> str:
    """The expression of their repository: in SQL where the service has a database."""
    if (growth.root / f"src/{PACKAGE}/gateways/sql").exists():
        table.add(growth, many)
        with growth.edit(APP) as file:
            return f"{python.assigned_name(file.text, 'SqlStore')}.{many}"
    made = f"Memory{title(many)}"
    growth.new(f"src/{PACKAGE}/gateways/{many}_memory.py", growth.text("tag/memory.py"))
    with growth.edit(APP) as file:
        file.text = python.with_import(file.text, f".gateways.{many}_memory", made)
    return f"{made}()"


def _wiring(growth: Growth, many: str, handed: str) -> None:
    rules, handler = title(many), f"{title(many)}Handler"
    argument = f"{many}={handler}({rules}({handed}))"
    with growth.edit(APP, f"as an argument of build_router: {argument}") as file:
        if taken := python.top_names(file.text) & {rules, handler}:
            raise Refusal(f"NAME={many}: {APP} calls something else {', '.join(sorted(taken))}")
        file.text = python.with_argument(file.text, "build_router", argument, like="Handler")
        file.text = python.with_import(file.text, f".api.{many}", handler)
        file.text = python.with_import(file.text, f".domain.{many}", rules)


def _scopes(growth: Growth, many: str, *, stored: bool) -> None:
    """What `make token` asks for, where it is as it was made."""
    text = growth.read("Makefile")
    if len(SCOPES.findall(text)) == 1:
        more = f" {many}:read" + (f" {many}:write" if stored else "")
        growth.files["Makefile"] = SCOPES.sub(lambda found: found[0] + more, text)
