"""What runs in the service's own interpreter, and `run`, which starts it from outside.

Only this file is for the template's environment; the others import the service.
"""

import json
import subprocess
from collections.abc import Mapping

from .. import service
from ..table import Row


def run(module: str, env: Mapping[str, str], *, rounds: int) -> dict[str, list[Row]]:
    """Measure inside a process of the service; its rows by table."""
    service.say(f"inside the process, {module}: {rounds} rounds")
    command = [service.PYTHON, "-m", f"{__name__}.{module}", str(rounds)]
    said = subprocess.run(
        service.pinned(service.SERVER_CORE, command),
        check=True,
        stdout=subprocess.PIPE,
        env={**env, "PYTHONPATH": str(service.ROOT)},
    ).stdout
    tables = json.loads(said)
    return {name: [Row(**row) for row in rows] for name, rows in tables.items()}
