"""A table of its own for what is stored in SQL, with the migration that makes it."""

from ..package import PACKAGE
from . import python_edits as python
from .names import title
from .refusal import Refusal
from .service import Growth

SQL = f"src/{PACKAGE}/gateways/sql"


def add(growth: Growth, many: str) -> None:
    """Table, migration, repository, and the repository as `store.<many>`. Raises `Refusal`."""
    table = "\n" + growth.text("tag/sql/table.py")
    with growth.edit(f"{SQL}/schema.py", f"the table:{table}") as file:
        if many in python.top_names(file.text):
            raise Refusal(f"NAME={many}: {SQL}/schema.py has such a name already")
        file.text = file.text.rstrip("\n") + "\n" + table
        needed = ("Column", "DateTime", "String", "Table")
        file.text = python.with_import(file.text, "sqlalchemy", *needed)
    _migration(growth, many)
    repository = f"Sql{title(many)}"
    line = f"self.{many} = {repository}(self._database)"
    with growth.edit(f"{SQL}/store.py", f"in SqlStore.__init__: {line}") as file:
        file.text = python.with_attribute(file.text, "SqlStore", "_database", line)
        file.text = python.with_import(file.text, f".{many}", repository)
    growth.new(f"{SQL}/{many}.py", growth.text("tag/sql/repository.py"))


def _migration(growth: Growth, many: str) -> None:
    with growth.edit(f"{SQL}/migrate.py", "HEAD: the revision that makes the table") as file:
        before, become = python.constant(file.text, "HEAD")
        if not (before.isascii() and before.isdecimal()):
            raise Refusal(f"{SQL}/migrate.py: HEAD is {before}, and numbers are counted on")
        revision = f"{int(before) + 1:0{len(before)}}"
        file.text = become(revision)
    versions = f"{SQL}/migrations/versions"
    if taken := sorted((growth.root / versions).glob(f"{revision}*.py")):
        raise Refusal(f"{versions}/{taken[0].name} is there, and HEAD is still {before}")
    script = growth.text("tag/sql/migration.py", revision=revision, before=before)
    growth.new(f"{versions}/{revision}_{many}.py", script)
