"""This repository as somebody else gets it."""

import shutil
import subprocess
from pathlib import Path

from tests.rendering import ROOT


def copy_of(folder: Path, *, committed: bool = False) -> Path:
    """Write what git has of it, and would take into the next commit, into `folder`.

    Args:
        committed: it can be cloned from there.
    """
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if ROOT.joinpath(name).is_file():
            folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    if committed:
        author = ("-c", "user.name=tests", "-c", "user.email=tests@example.com")
        for arguments in (("init", "--quiet"), ("add", "--all"), ("commit", "-qm", "A copy")):
            subprocess.run(["git", *author, *arguments], cwd=folder, check=True)
    return folder
