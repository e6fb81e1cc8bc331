"""Settings in etcd: each key below a prefix is an entry, as `orders/log/level`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ..options import ConfigOptions
from ..reading import Reading
from .etcd_api import EtcdApi, Forgotten, State
from .remote import Address, parse_address


def open_etcd(url: str, options: ConfigOptions) -> "Etcd":
    """Read below `prefix/` of `etcd://user:password@host:2379,host/prefix`; `etcds://` is TLS.

    A second slash belongs to the keys: `etcd://host//config/orders` reads `/config/orders/...`.

    Raises:
        ValueError: the URL, or a file of certificates, cannot be used.
    """
    address = parse_address(url, port=2379)
    if not address.path:
        raise ValueError("it names no prefix of keys, as /orders would be")
    if address.query:
        raise ValueError(f"it has an unknown option {min(address.query)!r}")
    return Etcd(address, options)


class Etcd:
    """A `Source`. Its revisions are etcd's.

    A change is only the occasion to read everything again, which costs a millisecond: so a
    reading is a state that etcd was in, whatever was repeated, lost or compacted on the way.
    """

    name = "etcd"
    remote = True

    def __init__(self, address: Address, options: ConfigOptions) -> None:
        self.where = address.where
        self._api = EtcdApi(address, options)
        self._last: State | None = None

    async def load(self) -> Reading:
        """Read all keys below the prefix; none is an empty reading."""
        state = await self._api.read()
        continuous = await self._follows(state)
        if continuous or state.entries:
            # Else the next reading, too, is compared with what there was before all was gone.
            self._last = state
        return Reading(state.entries, str(state.revision), continuous)

    async def watch(self, since: Reading) -> AsyncGenerator[Reading | None]:
        """Yield what changes, and None where a new stream begins without a change.

        Streams are renewed after `watch_timeout`: a dead one looks like one without changes.
        """
        entries = since.entries
        while True:
            reading = await self.load()
            yield reading if reading.entries != entries else None
            entries, revision = reading.entries, int(reading.revision)
            async with aclosing(self._api.changes(revision)) as changes:
                async for changed in changes:
                    if changed > revision:  # else it was among what has been read
                        self._last = state = await self._api.read()
                        entries, revision = state.entries, state.revision
                        yield Reading(entries, str(revision))

    async def close(self) -> None:
        """Close its connections."""
        await self._api.close()

    async def _follows(self, state: State) -> bool:
        """Whether the last state is this one's past, or etcd was wiped or restored in between."""
        last = self._last
        if last is None or state.entries == last.entries:
            return True
        if state.cluster != last.cluster or state.revision < last.revision:
            return False
        # A server wiped and filled again has the same cluster id, and a higher revision in time.
        try:
            return (await self._api.read(last.revision)).entries == last.entries
        except Forgotten:
            return True  # nothing speaks against it
