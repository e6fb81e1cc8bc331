"""The service that grows: its files as they are, and the texts that are added to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from ..package import PACKAGE, ROOT
from .change import Files
from .python_edits import NoPlace
from .refusal import Refusal

TEXTS = Path(__file__).parent / "texts"
APP, SETTINGS = f"src/{PACKAGE}/app.py", f"src/{PACKAGE}/settings.py"
CONTRACT = "contract/openapi.yaml"


@dataclass
class Edit:
    """A file's text, to be replaced by an edited one."""

    text: str


class Growth:
    """The files that one command writes, collected before any of them is.

    Args:
        names: what `$name` and the like stand for in the texts.
    """

    def __init__(self, root: Path = ROOT, **names: str) -> None:
        self.root = root
        self.files: Files = {}
        self._names = {"package": PACKAGE, **names}

    def read(self, path: str) -> str:
        """A file with what is already collected for it. Raises `Refusal` where there is none."""
        if path not in self.files:
            try:
                self.files[path] = (self.root / path).read_text(encoding="utf-8")
            except (OSError, UnicodeError) as exc:
                raise Refusal(f"{path}: {getattr(exc, 'strerror', None) or exc}") from None
        return self.files[path]

    def text(self, name: str, **more: str) -> str:
        """A text of `texts/`, with its names filled in."""
        template = Template((TEXTS / f"{name}.txt").read_text(encoding="utf-8"))
        return template.substitute(self._names | more)

    def new(self, path: str, text: str) -> None:
        """A file that is not there. Raises `Refusal` if it is."""
        file = self.root / path
        if file.exists() or file.with_suffix("").is_dir():
            raise Refusal(f"{path} is there already")
        self.files[path] = text

    @contextmanager
    def edit(self, path: str, by_hand: str = "") -> Iterator[Edit]:
        """A file that is there; `by_hand` is what is added to it, for the user to read.

        Raises:
            Refusal: there is no such file, or no place for it in there.
        """
        file = Edit(self.read(path))
        try:
            yield file
        except NoPlace as exc:
            raise Refusal(f"{path}: found no {exc}", by_hand) from None
        except SyntaxError as exc:
            raise Refusal(f"{path}: is not Python: {exc}", by_hand) from None
        self.files[path] = file.text
