"""The running service against its contract, with input that nobody thought of."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ..support.process import serving

ROOT = Path(__file__).parents[2]
# Per operation and phase. `CONTRACT_EXAMPLES=1000` takes minutes and finds what is rare.
EXAMPLES = os.environ.get("CONTRACT_EXAMPLES", "40")
SEED = "20261124"  # the same input for everyone, so that a failure stays one


def test_nothing_is_found(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    with serving(tmp_path, LOG__LEVEL="error") as process:
        command = [sys.executable, "-m", "schemathesis.cli", "run", "contract/openapi.yaml"]
        command += ["--url", process.url, "--seed", SEED, "--max-examples", EXAMPLES, "--no-color"]
        for name, value in process.credentials.items():
            command += ["--header", f"{name}: {value}"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        # Not swallowed when it passes: how much was tried is part of the result.
        record_property("schemathesis", " ".join(re.findall(r"\d+ generated, .*", done.stdout)))
        assert done.returncode == 0, done.stdout + done.stderr
        assert process.records() == []
