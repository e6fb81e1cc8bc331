"""`make contract`: writes the template's copy of the code that a service generates.

The example's contract differs by the option `auth`, so where the code does too there are two
files with conditional names.
"""

import sys
from pathlib import Path

from tests.rendering import CHOICES, TEMPLATE
from tests.services import make, service

PACKAGE = TEMPLATE / "src" / "{{cookiecutter.__package_name}}" / "contract"
CONDITIONS = {"jwt": "cookiecutter.__jwt", "none": "not cookiecutter.__jwt"}


def generated(auth: str) -> dict[str, str]:
    """The package as the service with this answer generates it."""
    print(f"Generating with auth={auth}", flush=True)
    with service(f"contract-{auth}", auth=auth) as folder:
        print(make(folder, "contract"), end="", flush=True)
        [package] = folder.glob("src/*/contract")
        return {path.name: path.read_text(encoding="utf-8") for path in package.glob("*.py")}


def files(by_auth: dict[str, dict[str, str]]) -> dict[str, str]:
    """The template's file names and their text."""
    found: dict[str, str] = {}
    for auth, package in by_auth.items():
        for name, text in package.items():
            if all(other.get(name) == text for other in by_auth.values()):
                found[name] = text
            else:
                found[f"{{% if {CONDITIONS[auth]} %}}{name}{{% endif %}}"] = text
    return found


def main() -> None:
    """Write what differs, remove what is superseded."""
    wanted = files({auth: generated(auth) for auth in CHOICES["auth"]})
    PACKAGE.mkdir(exist_ok=True)
    for path in PACKAGE.iterdir():
        if path.is_file() and path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        Path(PACKAGE, name).write_text(text, encoding="utf-8")
    print(f"{PACKAGE.name}: {len(wanted)} files", file=sys.stderr)


if __name__ == "__main__":
    main()
