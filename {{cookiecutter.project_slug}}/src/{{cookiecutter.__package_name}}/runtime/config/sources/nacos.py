"""Settings in one configuration (a dataId) of Nacos: 1.x and 2.x are waited on, 3.x is polled."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import PurePosixPath

from ..options import ConfigOptions
from ..reading import Reading, SourceError
from .asking import Pace, located
from .nacos_api import MIN_HOLD, Content, NacosApi
from .remote import Address, parse_address

OPTIONS = frozenset({"namespace", "group", "context"})
DOCUMENTS = frozenset({".yaml", ".yml", ".toml", ".json"})
ABSENT = "absent"  # instead of an md5


def open_nacos(url: str, options: ConfigOptions) -> "Nacos":
    """Read `nacos://user:password@host:8848/dataId?namespace=&group=&context=`, or `nacoss://`.

    `context` is the path that the server is configured to be found under, if not `/nacos`.

    Raises:
        ValueError: the URL is not of that form, or a file of certificates cannot be used.
    """
    return Nacos(parsed(url), options)


def parsed(url: str) -> Address:
    """What such a URL says.

    Raises:
        ValueError: it is not of that form.
    """
    address = parse_address(url, port=8848)
    if not address.path or "/" in address.path:
        raise ValueError("it names no configuration: the path is one dataId, as /orders.yaml")
    if unknown := sorted(address.query.keys() - OPTIONS):
        raise ValueError(f"it has an unknown option {unknown[0]!r}")
    return address


class Nacos:
    """A `Source`. Its revisions are the MD5 that Nacos has of the content.

    Nacos does not tell a configuration that was deleted from a server that was wiped: every
    reading is continuous.

    Args:
        min_hold: how long a server holds a request for a change at least, in seconds.
    """

    name = "nacos"
    remote = True

    def __init__(
        self, address: Address, options: ConfigOptions, *, min_hold: float = MIN_HOLD
    ) -> None:
        self._data_id = address.path
        self._api = NacosApi(address, options, min_hold=min_hold)
        self.where = located(address)
        self._poll_interval = options.poll_interval
        self._pace = Pace()

    async def load(self) -> Reading:
        """Read it; that there is no such configuration is an empty reading."""
        # A loss may have been the upgrade of the servers.
        await self._api.recognise()
        return self._reading(await self._api.get())

    async def watch(self, since: Reading) -> AsyncGenerator[Reading | None]:
        """Yield what changes, None for each answer without a change."""
        revision = since.revision
        if self._api.listens is None:
            await self._api.recognise()
        while True:
            await self._pace.turn()
            if not self._api.listens:
                await asyncio.sleep(self._poll_interval)
            elif not await self._api.changed("" if revision == ABSENT else revision):
                yield None
                continue
            reading = self._reading(await self._api.get())
            changed = reading.revision != revision
            revision = reading.revision
            yield reading if changed else None

    async def close(self) -> None:
        """Close its connections."""
        await self._api.close()

    def _reading(self, content: Content | None) -> Reading:
        if content is None:
            return Reading({}, ABSENT)
        # Its own MD5, not ours: it compares what it has computed with what it is told.
        return Reading(self._entries(content), content.md5)

    def _entries(self, content: Content) -> Mapping[str, bytes]:
        suffix = PurePosixPath(self._data_id).suffix
        if suffix in DOCUMENTS:
            return {self._data_id: content.data}
        kind = "properties" if suffix == ".properties" else content.kind.lower()
        if kind == "properties":
            return dict(_properties(content.data))
        if f".{kind}" in DOCUMENTS:
            return {f"{self._data_id}.{kind}": content.data}
        raise SourceError(
            f"{self._data_id} is of the type {kind or 'unset'} in Nacos: "
            "yaml, json, toml and properties can be read"
        )


def _properties(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Lines of `a.b=c`; of Java's format neither escapes nor lines that go on.

    Raises:
        SourceError: a line is something else.
    """
    for number, line in enumerate(data.splitlines(), start=1):
        name, equals, value = (part.strip() for part in line.partition(b"="))
        if name.startswith((b"#", b"!")) or not (name or equals):
            continue
        if not (name and equals and name.isascii()):
            raise SourceError(f"line {number} is not of the form name=value")
        yield name.decode(), value
