"""Settings in Consul's key-value store: one recursive read, then blocking queries.

Below the prefix each key is an entry: `orders/log/level`, `orders/settings.yaml`. Newer servers
take keys of letters, digits and `,-_./` alone, and none that ends in `.json`.
"""

import base64
import binascii
from collections.abc import AsyncGenerator, Mapping
from urllib.parse import quote

import httpx
import orjson

from ..options import ConfigOptions
from ..reading import Reading, SourceError
from .asking import Pace, located, said
from .remote import Address, Remote, parse_address

OPTIONS = frozenset({"dc", "ns", "partition"})
# Of the watch's time. Consul adds up to 1/16 of its own; what is left is for the answer's way.
WAIT_SHARE = 0.8


def open_consul(url: str, options: ConfigOptions) -> "Consul":
    """Read below `prefix` of `consul://:token@host:8500/prefix?dc=&ns=&partition=`, or `consuls://`.

    Raises:
        ValueError: the URL is not of that form, or a file of certificates cannot be used.
    """
    address = parse_address(url, port=8500)
    if not address.path:
        raise ValueError("it names no prefix of keys, as /orders would be")
    if unknown := sorted(address.query.keys() - OPTIONS):
        raise ValueError(f"it has an unknown option {unknown[0]!r}")
    return Consul(address, options)


class Consul:
    """A `Source`. Its revisions are Consul's indexes.

    It asks in the default consistency mode: a `stale` follower may be behind what was read
    before, and `consistent` costs the servers a round of votes for each request of each instance.
    """

    name = "consul"
    remote = True

    def __init__(self, address: Address, options: ConfigOptions) -> None:
        self.where = located(address)
        self._remote = Remote(address, options)
        self._prefix = f"{address.path}/"  # with the slash: `orders` is not `orders-test`
        self._query = {**address.query, "recurse": "true"}
        self._token = address.password
        self._headers = {"X-Consul-Token": self._token} if self._token else {}
        self._request_timeout = options.request_timeout
        self._watch_timeout = options.watch_timeout
        self._pace = Pace()
        self._last: Reading | None = None

    async def load(self) -> Reading:
        """Read all keys below the prefix; none is an empty reading."""
        return await self._read(0, self._last)

    async def watch(self, since: Reading) -> AsyncGenerator[Reading | None]:
        """Yield what changes, None for each answer without a change.

        An index that goes backwards is asked from 0 again, as Consul's documentation demands.
        """
        last, index = since, _index(since.revision)
        while True:
            await self._pace.turn()
            reading = await self._read(index, last)
            # An index of 0, a defect of old servers, would be answered at once for ever.
            now = max(_index(reading.revision), 1)
            index = now if now >= index else 0
            # The index also grows with keys that are not ours, where there is none of ours.
            changed = reading.entries != last.entries
            last = reading
            yield reading if changed else None

    async def close(self) -> None:
        """Close its connections."""
        await self._remote.close()

    async def _read(self, index: int, before: Reading | None) -> Reading:
        """Read, once there is something newer than `index`; 0: now."""
        query, seconds = self._query, self._request_timeout
        if index:
            seconds = self._watch_timeout
            wait = f"{1000 * WAIT_SHARE * seconds:.0f}ms"
            query = {**query, "index": str(index), "wait": wait}
        response = await self._remote.request(
            "GET",
            f"/v1/kv/{quote(self._prefix)}",
            seconds=seconds,
            params=query,
            headers=self._headers,
        )
        revision, entries = self._checked(response)
        self._last = Reading(entries, revision, _continuous(entries, revision, before))
        return self._last

    def _checked(self, response: httpx.Response) -> tuple[str, Mapping[str, bytes]]:
        status, words = response.status_code, said(response, self._token)
        if status == 403:
            raise SourceError(f"Consul refuses the token for {self._prefix}{words}")
        revision = response.headers.get("X-Consul-Index", "")
        # 404 says that no key is left, but only Consul's: a proxy's page must remove nothing.
        if status not in (200, 404) or (status == 404 and not revision):
            raise SourceError(f"Consul answers {status} for {self._prefix}{words}")
        if not (revision.isascii() and revision.isdigit() and len(revision) <= 20):
            raise SourceError(f"what answers for {self._prefix} is not Consul: it has no index")
        if response.headers.get("X-Consul-Results-Filtered-By-ACLs") == "true":
            # Keys that the token may not read would look like deleted ones.
            raise SourceError(f"the token for Consul may not read all of {self._prefix}")
        return revision, {} if status == 404 else self._entries(response.content)

    def _entries(self, body: bytes) -> Mapping[str, bytes]:
        try:
            pairs = [(pair["Key"], pair["Value"]) for pair in orjson.loads(body)]
            return {
                # Null is an empty value, or a folder that somebody made in the user interface.
                key.removeprefix(self._prefix): base64.b64decode(value or "", validate=True)
                for key, value in pairs
                if not key.endswith("/")
            }
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            reason = "is no list of keys and values"
        except (binascii.Error, ValueError):
            reason = "has a value that is not base64"
        raise SourceError(f"what Consul answers for {self._prefix} {reason}")


def _index(revision: str) -> int:
    return int(revision) if revision.isdecimal() else 0


def _continuous(entries: Mapping[str, bytes], revision: str, before: Reading | None) -> bool:
    """Whether it follows from what was there before, or the store was wiped or restored."""
    if before is None:
        return True
    if entries == before.entries:
        # So it stays until there is something again. And an index alone also goes backwards
        # when Consul forgets that the newest key was deleted, after 15 minutes.
        return before.continuous
    return _index(revision) >= _index(before.revision)
