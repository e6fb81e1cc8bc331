"""One file of settings."""

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..options import ConfigOptions
from ..reading import MAX_BYTES, Reading
from ..regular import identity, read_regular
from .polling import Polled

FORMATS = (".yaml", ".yml", ".toml", ".json")


class FileSource(Polled):
    """A document with a tree of settings; written in place or replaced, through symlinks or not.

    Its revision is the beginning of what `sha256sum` says of it.

    Args:
        path: ends in `.yaml`, `.yml`, `.toml` or `.json`, which says how it is read.
        name: of the layer.

    Raises:
        ValueError: it ends in something else.
    """

    def __init__(self, path: str | Path, *, name: str = "file") -> None:
        super().__init__(path, name=name)
        if self.path.suffix not in FORMATS:
            raise ValueError(f"{path}: takes a file that ends in {', '.join(FORMATS)}")

    def look(self) -> tuple[object, ...]:
        return identity(self.path.stat(), self.path, MAX_BYTES)

    def read(self) -> Reading:
        content = read_regular(self.path, MAX_BYTES)
        return Reading({self.path.name: content}, hashlib.sha256(content).hexdigest()[:12])


def open_file(url: str, _: ConfigOptions) -> FileSource:
    """In the place of a configuration centre: `file:///path`, quoted as in any URL."""
    return FileSource(unquote(urlsplit(url).path), name="source")
