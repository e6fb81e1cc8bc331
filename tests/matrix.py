"""Every combination of options that reaches the code: generated, linted, typed and tested.

`make matrix` runs it. The options of delivery reach no code: each combination carries a few of
them, so that all pairs of their answers come up, and its manifests are checked with the rest.
Combinations whose services differ in nothing that a check reads (the licence, the pipeline) share
one run. Arguments narrow the matrix: `make matrix ARGS="database=none python_version=3.12"`.
"""

import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.covering import covering
from tests.rendering import CHOICES, DELIVERY, render, texts
from tests.services import make, service

# Two at a time: a service's tests start processes and measure time.
AT_ONCE = min(2, os.cpu_count() or 1)
# Answers that no check reads, and what they change.
UNTESTED = ("license", "ci")
UNREAD = re.compile(r"LICENSE$|\.github/|\.gitlab-ci\.yml$")

Answers = dict[str, str]


def combinations(only: Answers) -> list[Answers]:
    """Return every combination of choices that agrees with `only`."""
    choices = {name: [only[name]] if name in only else CHOICES[name] for name in CHOICES}
    code = [name for name in choices if name not in (*DELIVERY, *UNTESTED)]
    deliveries = itertools.cycle(covering({name: choices[name] for name in DELIVERY}))
    found: list[Answers] = []
    for picked in itertools.product(*(choices[name] for name in code)):
        service = dict(zip(code, picked, strict=True)) | next(deliveries)
        untested = itertools.product(*(choices[name] for name in UNTESTED))
        found += (service | dict(zip(UNTESTED, others, strict=True)) for others in untested)
    return found


def fingerprint(folder: Path) -> str:
    """Return a hash of everything in a service that its lint and its tests can read."""
    digest = hashlib.sha256()
    for name, text in texts(folder).items():
        if not UNREAD.search(name):
            # The one line of the metadata that names the licence.
            digest.update(f"{name}\n{re.sub(r'(?m)^license = .*$', '', text)}".encode())
    return digest.hexdigest()


def interpreter(version: str) -> str | None:
    """Return a Python of exactly this version from the path, or nothing."""
    names = (f"python{version}", "python3", sys.executable)
    for path in filter(None, map(shutil.which, names)):
        shown = "import sys; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([path, "-c", shown], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return path
    return None


def check(answers: Answers, python: str) -> str | None:
    """Run the service's own commands; return what went wrong, or nothing."""
    label = f"matrix-{answers['database']}-{answers['python_version']}"
    with service(label, **answers) as folder:
        try:
            for target in ("setup", "lint", "test", "manifests"):
                make(folder, target, f"PYTHON={python}")
        except AssertionError as failure:
            return str(failure)
    return None


def main(arguments: list[str]) -> int:
    """Check the matrix, say how each run went, and return the exit code."""
    only = dict(argument.split("=", 1) for argument in arguments)
    groups: dict[str, list[Answers]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        wanted = combinations(only)
        for number, answers in enumerate(wanted):
            groups[fingerprint(render(Path(scratch, str(number)), **answers))].append(answers)
    print(f"{len(wanted)} combinations, {len(groups)} different services to check", flush=True)

    failed = skipped = 0

    def run(number: int, group: list[Answers]) -> tuple[str, str | None]:
        answers = group[0]
        name = f"database={answers['database']} python_version={answers['python_version']}"
        title = f"[{number}/{len(groups)}] {name} ({len(group)} combinations)"
        python = interpreter(answers["python_version"])
        if python is None:
            return f"{title}: skipped, no Python {answers['python_version']} on the path", None
        print(f"{title}: started", flush=True)
        began = time.monotonic()
        problem = check(answers, python)
        outcome = "failed" if problem else "passed"
        return f"{title}: {outcome} after {time.monotonic() - began:.0f} s", problem

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for line, problem in pool.map(run, itertools.count(1), groups.values()):
            print(f"{line}\n{problem}" if problem else line, flush=True)
            failed += problem is not None
            skipped += "skipped" in line
    passed = len(groups) - failed - skipped
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
