"""What every source of settings is: something that can be read, and says when to read again."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Protocol

# Of all entries together, in bytes. A ConfigMap and a request to etcd may be as large as this.
MAX_BYTES = 1_048_576


class SourceError(Exception):
    """A source cannot be read now. One line for an operator, without credentials."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source held at one moment.

    Attributes:
        entries: by name. A name that ends in `.yaml`, `.yml`, `.toml` or `.json` is a document
            with a tree of settings; any other is one setting, its levels joined by `/`, `.` or
            `__`, in any case, with or without the prefix of the variables: `log/level`,
            `log.level`, `APP_LOG__LEVEL`. What is in them is checked by whoever merges them.
        revision: the source's own name of this state, for operators.
        continuous: the source still knows what it said before. False after it was wiped or
            restored: then that nothing is left is no decision of an operator.
    """

    entries: Mapping[str, bytes]
    revision: str
    continuous: bool = True


class Source(Protocol):
    """One layer of the settings.

    Attributes:
        name: of the layer, as `/config` shows it: `file`, `etcd`.
        where: what an operator looks for it by; no credentials.
        remote: it is another machine's, and may be away when this one starts.
    """

    name: str
    where: str
    remote: bool

    async def load(self) -> Reading:
        """Read all of it.

        Raises:
            SourceError: it cannot be read; the caller decides how long to try.
        """

    def watch(self, since: Reading) -> AsyncGenerator[Reading | None]:
        """Yield each later reading; None is a sign of life without a change.

        A burst may be one reading, and the last one always comes. It never ends by itself.
        A call that hangs must not hang for ever: half-open connections are found by a bound.

        Args:
            since: the last reading that the caller has. No change after it is left out.

        Raises:
            SourceError: it was lost; the caller loads again after a pause.
        """

    async def close(self) -> None:
        """Let go of what it holds."""
