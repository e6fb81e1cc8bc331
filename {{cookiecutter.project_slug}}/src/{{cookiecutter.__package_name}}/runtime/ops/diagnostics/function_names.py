"""Which function a line belongs to: a trace of an allocation knows only its file and line."""

import linecache
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from types import CodeType
from typing import Any, Final

UNKNOWN: Final = "?"


class FunctionNames:
    """Looks into each file once. From any thread; it reads and may compile source files."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleSpec | None] = {
            file: getattr(module, "__spec__", None)
            for module in list(sys.modules.values())
            if (file := getattr(module, "__file__", None))
        }
        self._lines: dict[str, dict[int, str]] = {}

    def at(self, file: str, line: int) -> str:
        """Its qualified name: `Orders.place`, `<module>` outside of all, `?` without a source."""
        lines = self._lines.get(file)
        if lines is None:
            code = self._code(file)
            # An inner function comes after the one around it, and has its lines to itself.
            lines = dict(_lines(code)) if code else {}
            self._lines[file] = lines
        return lines.get(line, UNKNOWN)

    def _code(self, file: str) -> CodeType | None:
        spec = self._modules.get(file)
        loader: Any = spec.loader if spec else None
        try:
            # Its byte code where that is kept, so that nothing is compiled.
            code: CodeType | None = loader.get_code(spec.name) if spec else None
        except Exception:  # noqa: BLE001 - one of pytest's or of somebody else's
            code = None
        if code is not None:
            return code
        try:
            return compile("".join(linecache.getlines(file)), file, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):  # the latter: null bytes, before 3.12
            return None


def _lines(code: CodeType, name: str = "<module>") -> Iterator[tuple[int, str]]:
    for _, _, line in code.co_lines():
        if line is not None:
            yield line, name
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            # A comprehension or a lambda has its lines in common with the function around it.
            own = constant.co_qualname
            yield from _lines(constant, name if own.endswith(">") else own)
