"""Stand-ins for the Secrets that are kept outside of git: `deploy/secret.example.env`."""

import re
from collections.abc import Mapping
from pathlib import Path

Stand = Mapping[str, str]
EXAMPLE = "deploy/secret.example.env"


def stand_ins(root: Path) -> Mapping[str, Stand]:
    """What a file of examples says, by the name of the Secret.

    A comment names the Secret that the lines below it are of: "# ... the Secret `name` ...".
    """
    file = root / EXAMPLE
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        if line.startswith("#"):
            if name := re.search(r"\bSecret `([^`]+)`", line):
                current = found.setdefault(name[1], {})
        elif "=" in line:
            key, _, value = line.partition("=")
            current[key] = value
    return found
