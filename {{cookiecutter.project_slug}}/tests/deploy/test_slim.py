"""What the build of the image does to files, on files of its own and on real libraries."""

import gzip
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pydantic_core
import pytest

from tools.image import slim

LIBRARY = Path(pydantic_core.__file__).parent


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An installed distribution with what no service reads beside what one does."""
    site = tmp_path / "site"
    files = {
        "tea/__init__.py": "def pour() -> str:\n    'Says so.'\n    return 'tea'\n",
        "tea/cup.pyi": "x: int\n",
        "tea/cup.c": "int x;\n",
        "tea/tests/test_tea.py": "assert False\n",
        "tea/milk/__init__.py": "",
        "bin/tea": "#!/bin/sh\n",
        "tea-1.0.dist-info/METADATA": "Name: tea\nVersion: 1.0\n\n# A long page\n",
        "tea-1.0.dist-info/RECORD": "".join(
            f"{name},,\n" for name in ("tea/__init__.py", "tea-1.0.dist-info/METADATA")
        ),
        "lemon/__init__.py": "",
        "lemon-2.dist-info/METADATA": "Name: lemon\nVersion: 2\n\n",
        "lemon-2.dist-info/RECORD": "".join(
            f"lemon{name},,\n"
            for name in ("/__init__.py", "-2.dist-info/METADATA", "-2.dist-info/RECORD")
        ),
    }
    for name, text in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return site


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_is_read_stays(site: Path) -> None:
    slim.take_out(site, ["lemon"])
    slim.trim(site, ["tea/milk"])
    assert _names(site) == {"tea/__init__.py", "tea-1.0.dist-info/METADATA"}
    assert {path.name for path in site.iterdir()} == {"tea", "tea-1.0.dist-info"}
    text = site.joinpath("tea-1.0.dist-info", "METADATA").read_text(encoding="utf-8")
    assert text == "Name: tea\nVersion: 1.0\n"


def test_a_list_that_is_out_of_date_stops_the_build(site: Path) -> None:
    with pytest.raises(SystemExit, match="not installed, so it cannot be left out: sugar"):
        slim.take_out(site, ["lemon", "sugar"])
    with pytest.raises(SystemExit, match="no such folder, so it cannot be dropped: tea/sugar"):
        slim.trim(site, ["tea/sugar"])


def test_what_only_browsers_read_is_kept_compressed(site: Path) -> None:
    static = site / "tea" / "static"
    static.mkdir()
    for name in ("tea.js", "tea.css", "tea.png"):
        static.joinpath(name).write_bytes(b"tea " * 1000)
    slim.pack(site, ["tea/static"])
    assert _names(static) == {"tea.js.gz", "tea.css.gz", "tea.png"}
    packed = static.joinpath("tea.js.gz").read_bytes()
    assert gzip.decompress(packed) == b"tea " * 1000
    assert packed[4:8] == bytes(4)  # no time of the build
    with pytest.raises(SystemExit, match="nothing to pack in tea/static"):
        slim.pack(site, ["tea/static"])


@pytest.mark.skipif(sys.platform != "linux", reason="the image's libraries are Linux's")
def test_a_library_without_its_symbols_is_the_same_to_python(tmp_path: Path) -> None:
    copy = tmp_path / "pydantic_core"
    copy.mkdir()
    for path in LIBRARY.glob("*.py"):
        copy.joinpath(path.name).write_bytes(path.read_bytes())
    for path in LIBRARY.glob("*.so"):
        whole = path.read_bytes()
        stripped = slim.without_symbols(whole)
        assert len(stripped) <= len(whole)
        # It is done once and for all.
        assert slim.without_symbols(stripped) == stripped
        copy.joinpath(path.name).write_bytes(stripped)
    assert slim.without_symbols(b"no library") == b"no library"
    program = "import pydantic_core as p; print(p.__file__, p.to_json({'a': 1}).decode())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [str(copy / "__init__.py"), '{"a":1}']


def test_what_the_commands_load_is_what_is_found(site: Path) -> None:
    commands = ["-c 'import tea'", "-c 'import tea.milk'"]
    found = [path for path in slim.loaded(commands, [site]) if path.is_relative_to(site)]
    assert found == [site / "tea/__init__.py", site / "tea/milk/__init__.py"]
    with pytest.raises(SystemExit, match=r"import sugar.*exit code 1"):
        list(slim.loaded(["-c 'import sugar'"], [site]))


@pytest.mark.parametrize("terse", [False, True])
def test_byte_code_holds_whatever_the_time_says(site: Path, *, terse: bool) -> None:
    source = site / "tea/__init__.py"
    slim.compile_for(source, Path("/"), terse=terse)
    cached = Path(importlib.util.cache_from_source(str(source)))
    first = cached.read_bytes()
    slim.settle(site, 0)
    slim.compile_for(source, Path("/"), terse=terse)
    assert cached.read_bytes() == first
    # What runs is the byte code: nobody looks at the source again.
    source.write_text("def pour() -> str: return 'coffee'\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "import tea; print(tea.pour(), tea.pour.__doc__)"],
        env=os.environ | {"PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["tea", *(["None"] if terse else ["Says", "so."])]


def test_no_umask_and_no_clock_has_a_part_in_it(site: Path) -> None:
    source = site / "tea/__init__.py"
    source.chmod(0o600)
    site.joinpath("bin", "tea").chmod(0o755)
    slim.settle(site, 1_700_000_000)
    for path in [site, *site.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)
        assert path.stat().st_mtime == 1_700_000_000
