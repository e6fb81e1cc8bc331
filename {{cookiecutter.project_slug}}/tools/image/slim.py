"""Makes what goes into the image small, quick to load and the same for every build.

The Dockerfile's build stage runs it with the base's Python and nothing else installed.
"""

import argparse
import gzip
import marshal
import os
import shlex
import shutil
import struct
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import distributions
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from typing import Final

# What type checkers, compilers and test runners read, and no service.
UNREAD: Final = frozenset(
    {".c", ".cc", ".cpp", ".h", ".hpp", ".proto", ".pxd", ".pxi", ".pyc", ".pyi", ".pyx"}
)
TESTS: Final = frozenset({"__pycache__", "_testbase", "test", "testing", "tests"})
# Scripts for a shell that is not used, and headers for a compiler that is not there.
UNUSED: Final = ("bin", "include")
FOR_BROWSERS: Final = frozenset({".css", ".js"})

# ELF's header, 64 bits: where its two tables stand. All machines with images are little-endian.
ELF: Final = b"\x7fELF\x02\x01"
SEGMENTS_AT: Final = 32
SECTIONS_AT: Final = 40
SEGMENT_SIZE_AT: Final = 54
SECTION_FIELDS_AT: Final = 58


def take_out(site: Path, names: Sequence[str]) -> None:
    """Remove these distributions from `site`.

    Raises:
        SystemExit: one of them is not there, so the list has to be looked at.
    """
    found = {dist.name.lower(): dist for dist in distributions(path=[str(site)])}
    if unknown := sorted(set(names) - set(found)):
        raise SystemExit(f"slim: not installed, so it cannot be left out: {', '.join(unknown)}")
    for name in names:
        for file in found[name].files or ():
            path = Path(str(file.locate()))
            path.unlink(missing_ok=True)
            # The last file takes its folder with it.
            for folder in path.parents:
                if folder == site or not folder.is_dir() or any(folder.iterdir()):
                    break
                folder.rmdir()


def trim(site: Path, dropped: Sequence[str] = ()) -> None:
    """Remove what is installed but never read at run time, and the `dropped` folders.

    Raises:
        SystemExit: one of the folders is not there, so the list has to be looked at.
    """
    if unknown := [name for name in dropped if not site.joinpath(name).is_dir()]:
        raise SystemExit(f"slim: no such folder, so it cannot be dropped: {', '.join(unknown)}")
    for name in (*UNUSED, *dropped):
        shutil.rmtree(site / name, ignore_errors=True)
    for folder in [path for path in site.rglob("*") if path.name in TESTS and path.is_dir()]:
        shutil.rmtree(folder, ignore_errors=True)
    for path in list(site.rglob("*")):
        if path.suffix in UNREAD:
            path.unlink()
    for path in site.glob("*.dist-info/RECORD"):
        path.unlink()  # it is no longer true
    for path in site.glob("*.dist-info/METADATA"):
        # Scanners read the fields; behind them stands a page for the index.
        path.write_bytes(path.read_bytes().partition(b"\n\n")[0] + b"\n")


def pack(site: Path, names: Sequence[str]) -> None:
    """Compress the scripts and styles in these folders, which only browsers read.

    Raises:
        SystemExit: there is none in one of them, so the list has to be looked at.
    """
    for name in names:
        found = [path for path in site.joinpath(name).glob("*") if path.suffix in FOR_BROWSERS]
        if not found:
            raise SystemExit(f"slim: nothing to pack in {name}")
        for path in found:
            packed = gzip.compress(path.read_bytes(), mtime=0)
            path.with_name(f"{path.name}.gz").write_bytes(packed)
            path.unlink()


def without_symbols(library: bytes) -> bytes:
    """A shared library without its sections: what the loader maps stays, debuggers' part goes."""
    if not library.startswith(ELF):
        return library
    (table,) = struct.unpack_from("<Q", library, SEGMENTS_AT)
    size, count = struct.unpack_from("<HH", library, SEGMENT_SIZE_AT)
    end = table + size * count
    for segment in range(table, end, size):
        (offset,) = struct.unpack_from("<Q", library, segment + 8)
        (length,) = struct.unpack_from("<Q", library, segment + 32)
        end = max(end, offset + length)
    kept = bytearray(library[:end])
    struct.pack_into("<Q", kept, SECTIONS_AT, 0)
    struct.pack_into("<HHH", kept, SECTION_FIELDS_AT, 0, 0, 0)
    return bytes(kept)


def run(commands: Sequence[str], folders: Sequence[Path], **settings: str) -> None:
    """Run `commands` of Python with what is in `folders`.

    Raises:
        SystemExit: one fails; an image that cannot even start is not worth building.
    """
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONSAFEPATH": "1"}
    for command in commands:
        done = subprocess.run(  # noqa: S603 - the words are the Dockerfile's
            [sys.executable, *shlex.split(command)],
            env=env | settings,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"slim: python {command}: exit code {done.returncode}")


def loaded(commands: Sequence[str], folders: Sequence[Path]) -> Iterator[Path]:
    """Run `commands` and yield the sources that they import, in a fixed order."""
    with tempfile.TemporaryDirectory() as scratch:
        # Python writes the byte code of all that it imports below this prefix.
        run(commands, folders, PYTHONPYCACHEPREFIX=scratch, PYTHONDONTWRITEBYTECODE="")
        for cached in sorted(Path(scratch).rglob("*.pyc")):
            folder = "/" / cached.parent.relative_to(scratch)
            source = folder / f"{cached.name.split('.')[0]}.py"
            if source.is_file():
                yield source


def compile_for(source: Path, into: Path, *, terse: bool = False) -> None:
    """Write the byte code of `source` below `into`; it holds whatever the file's time says.

    Args:
        source: a file of Python's.
        into: what stands for the root.
        terse: as `python -OO` does, leave out docstrings, a quarter of some libraries, and the
            assertions that may ask for them.
    """
    text = source.read_bytes()
    code = compile(text, str(source), "exec", dont_inherit=True, optimize=2 if terse else 0)
    cached = into / Path(cache_from_source(str(source))).relative_to("/")
    cached.parent.mkdir(parents=True, exist_ok=True)
    # PEP 552: by the hash of its source, which is not compared when it is loaded.
    head = MAGIC_NUMBER + (1).to_bytes(4, "little") + source_hash(text)
    cached.write_bytes(head + marshal.dumps(code))


def settle(root: Path, moment: int) -> None:
    """Give all files below `root` one time, and modes that no umask has a part in."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (moment, moment), follow_symlinks=False)


def main() -> None:
    """Slim the folders of the image down, and compile what the commands load."""
    parser = argparse.ArgumentParser(prog="slim")
    parser.add_argument("--site", type=Path, required=True, help="where dependencies are installed")
    parser.add_argument("--source", type=Path, required=True, help="where the service is")
    parser.add_argument("--library", type=Path, required=True, help="gets Python's own byte code")
    parser.add_argument("--leave-out", default="", help="distributions that nothing imports")
    parser.add_argument("--drop", action="append", default=[], help="folders nothing imports")
    parser.add_argument("--pack", default="", help="folders whose scripts go to browsers")
    parser.add_argument("--terse", action="append", default=[], help="whose docs nothing reads")
    parser.add_argument("--run", action="append", default=[], help="arguments of python")
    given = parser.parse_args()
    take_out(given.site, given.leave_out.split())
    trim(given.site, " ".join(given.drop).split())
    trim(given.source)
    pack(given.site, given.pack.split())
    for library in given.site.rglob("*.so*"):
        library.write_bytes(without_symbols(library.read_bytes()))
    own = Path(sysconfig.get_path("stdlib"))
    given.library.mkdir(parents=True, exist_ok=True)
    terse = [given.site / name for name in " ".join(given.terse).split()]
    folders = [given.source, given.site]
    for source in loaded(given.run, folders):
        if source.is_relative_to(given.source) or source.is_relative_to(given.site):
            compile_for(source, Path("/"), terse=any(map(source.is_relative_to, terse)))
        # Debian compiles the library when it installs it; Python's own image does not.
        elif source.is_relative_to(own) and not Path(cache_from_source(str(source))).exists():
            compile_for(source, given.library, terse=True)
    # Once more, with the byte code that will run.
    run(given.run, folders, PYTHONDONTWRITEBYTECODE="1")
    for root in (given.site, given.source, given.library):
        settle(root, int(os.environ.get("SOURCE_DATE_EPOCH") or 0))


if __name__ == "__main__":
    main()
