"""What the users of a service have changed: something in every room that is theirs or shared."""

import shutil
from pathlib import Path
from typing import NamedTuple

# Files of their own, as they stand below the service, and one that they have no use for.
OWN = Path(__file__).parent / "own"
GONE = "tests/drills/test_hung_telemetry.py"


class Edit(NamedTuple):
    """Lines that follow others, which may go for them.

    Attributes:
        path: the file, below the service.
        after: what stands there; empty for the end of the file.
        text: what follows it.
        instead: whether it takes the place of `after`.
    """

    path: str
    after: str
    text: str
    instead: bool = False

    def __call__(self, text: str) -> str:
        """The file's text with it.

        Raises:
            AssertionError: the place is not there, or not the only one.
        """
        if not self.after:
            return text + self.text
        assert self.after in text, f"{self.path} has no {self.after!r}"
        return text.replace(self.after, self.text if self.instead else self.after + self.text)


APP = "src/orders/app.py"
CONTRACT = "contract/openapi.yaml"
PRODUCTION = "deploy/kustomize/overlays/production"
SCHEMA = "src/orders/gateways/sql/schema.py"
SETTINGS = "src/orders/settings.py"
PAYMENTS = "APP_DEPENDENCIES__PAYMENTS__URL"

TAKE_NOTE = """\
  /api/notes:
    post:
      tags: [notes]
      operationId: takeNote
      summary: Tidy a note
      parameters:
        - name: account
          in: query
          schema: { type: string }
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: "#/components/schemas/NewNote" }
      responses:
        "200":
          description: The note
          content:
            application/json:
              schema: { $ref: "#/components/schemas/Note" }
        "422": { $ref: "#/components/responses/InvalidRequest" }
        default: { $ref: "#/components/responses/UnexpectedProblem" }

"""
NOTE = """\
    NewNote:
      type: object
      required: [text]
      properties:
        text: { type: string, maxLength: 10000 }
    Note:
      type: object
      required: [text, balance]
      properties:
        text: { type: string }
        balance: { type: string }

"""
NOTES = '''\
class Notes(Group):
    """What a note may be."""

    longest: int = Field(1_000, ge=1)  # characters that are kept


'''
ENVIRONMENT = f"""\
            - name: {PAYMENTS}
              value: http://payments.payments.svc:8000
"""

TABLE = """
notes = Table("notes", metadata, Column("text", String(1000), primary_key=True))
"""

EDITS = (
    # An operation of their own, from the contract to the wiring
    Edit(CONTRACT, "  - name: orders\n", "  - name: notes\n"),
    Edit(CONTRACT, "components:\n", f"{TAKE_NOTE}components:\n", instead=True),
    Edit(CONTRACT, "    Problem:\n", f"{NOTE}    Problem:\n", instead=True),
    Edit(APP, "from . import __version__\n", "from .api.notes import NotesHandler\n"),
    Edit(
        APP,
        "            version=VersionHandler(**info),\n",
        '            notes=NotesHandler(HttpLedger(clients["ledger"]), settings.notes.longest),\n',
    ),
    # A service to call, and what it needs in production
    Edit(
        APP,
        "from .gateways.flags import LargeOrders\n",
        "from .gateways.ledger import HttpLedger\n",
    ),
    Edit(
        SETTINGS,
        "    payments: Dependency = Dependency()\n",
        "    ledger: Dependency = Dependency()\n",
    ),
    *(
        Edit(
            f"deploy/kustomize/overlays/{overlay}/environment.yaml",
            ENVIRONMENT,
            ENVIRONMENT.replace("PAYMENTS", "LEDGER").replace("payments", "ledger") + ENVIRONMENT,
            instead=True,
        )
        for overlay in ("staging", "production")
    ),
    # A setting, a library, a table
    Edit(SETTINGS, "class Settings(Tree):\n", f"{NOTES}class Settings(Tree):\n", instead=True),
    Edit(
        SETTINGS,
        "    dependencies: Dependencies = Dependencies()\n",
        "    notes: Notes = Notes()\n",
    ),
    Edit("pyproject.toml", "\ndependencies = [\n", '    "humanize>=4.13",\n'),
    Edit(SCHEMA, "", TABLE),
    Edit("src/orders/gateways/sql/migrate.py", 'HEAD = "0001"', 'HEAD = "0002"', instead=True),
    # What the example says, changed in place
    Edit(
        "src/orders/domain/orders.py",
        "# 1,000,000.00 in a currency with two decimals: above that a person should look first.\n",
        "# Agreed with the finance department.\n",
    ),
    # Delivery: a number, a dashboard
    Edit(f"{PRODUCTION}/kustomization.yaml", "value: 12}", "value: 20}", instead=True),
    Edit(
        "observability/kustomization.yaml",
        "      - orders.json=dashboard.json\n",
        "      - notes.json=notes.json\n",
    ),
    Edit(".github/workflows/ci.yml", "    branches: [main", ", next"),
    Edit(".gitlab-ci.yml", "workflow:\n", "  name: Ours\n"),
    Edit("Makefile", "", "\n.PHONY: hello\nhello: ## Say that this is ours\n\t@echo ours\n"),
    Edit("README.md", "", "\n## Who is on call\n\nThe orders team.\n"),
    Edit(".gitignore", "# Environment and build\n", "notes.txt\n"),
)


def edits_of(service: Path) -> set[str]:
    """The files that can be changed, or added to a room that is there."""
    changed = {one.path for one in EDITS if service.joinpath(one.path).exists()}
    own = (path.relative_to(OWN) for path in OWN.rglob("*") if path.suffix in {".json", ".py"})
    return changed | {str(name) for name in own if service.joinpath(name.parent).exists()}


def edit(service: Path, files: set[str]) -> None:
    """Make those edits that are in these files; one more file goes."""
    service.joinpath(GONE).unlink()
    for one in EDITS:
        if one.path in files:
            path = service / one.path
            path.write_text(one(path.read_text(encoding="utf-8")), encoding="utf-8")
    for name in files:
        if OWN.joinpath(name).exists():
            shutil.copy(OWN / name, service / name)
