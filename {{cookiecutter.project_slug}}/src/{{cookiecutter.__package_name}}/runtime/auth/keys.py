"""The public keys of an issuer (JWKS, RFC 7517): fetched when needed, kept, rotated."""

import asyncio
import contextvars
import time
from collections.abc import Callable, Sequence
from typing import Any

import jwt
import structlog
from cryptography.exceptions import UnsupportedAlgorithm

from ..errors import DependencyUnavailable
from ..outbound.client import Client

# Signatures that a public key verifies. An HMAC's key would be as good for signing.
ASYMMETRIC = frozenset(
    {"ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}
)
# While there are no keys every request waits for the issuer: ask it again soon, not at their rate.
RETRY_SECONDS = 1.0

_ByAlgorithm = dict[str, jwt.PyJWK]


class Keys:
    """The issuer's keys, by key id and algorithm.

    While the issuer gives no new ones the old ones go on being used: when it is down, who has
    a token can still work.

    Args:
        client: its base URL is the origin of the JWKS.
        path: where the JWKS is, from there.
        algorithms: the ones that tokens may use; asymmetric only.
        ttl: seconds that keys are used before they are fetched again.
        cooldown: seconds between two fetches for unknown key ids, and after a failed one.
            Anyone can send random key ids; they must not make us hammer the issuer.
        now: a monotonic clock in seconds.

    Raises:
        ValueError: an algorithm is not asymmetric, or there is none.
    """

    def __init__(
        self,
        client: Client,
        path: str,
        *,
        algorithms: Sequence[str],
        ttl: float = 300.0,
        cooldown: float = 30.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if not algorithms or not ASYMMETRIC.issuperset(algorithms):
            raise ValueError(f"algorithms are one or more of {', '.join(sorted(ASYMMETRIC))}")
        self.algorithms = tuple(algorithms)
        self._client = client
        self._path = path
        self._ttl = ttl
        self._cooldown = cooldown
        self._now = now
        self._keys: dict[str, _ByAlgorithm] = {}
        self._failing = False  # the last fetch failed
        self._expires = self._pause_until = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._log = structlog.get_logger().bind(logger="auth")

    async def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key with this id for this algorithm; without an id the issuer's only key.

        Raises:
            DependencyUnavailable: it is not here, and the issuer could not be asked.
        """
        fetching = self._fetching or (self._fetch(kid) if self._due(kid) else None)
        # An issuer that was down at the last try delays nobody whose key is here.
        if fetching is not None and not (self._failing and self._has(kid)):
            await asyncio.shield(fetching)
        if self._failing and not self._has(kid):
            raise self._unavailable("signing keys not fetched")
        if kid is None:
            return next(iter(self._keys.values())).get(algorithm) if len(self._keys) == 1 else None
        return self._keys.get(kid, {}).get(algorithm)

    def _has(self, kid: str | None) -> bool:
        return bool(self._keys) if kid is None else kid in self._keys

    def _due(self, kid: str | None) -> bool:
        now = self._now()
        return now >= self._pause_until and (now >= self._expires or not self._has(kid))

    def _fetch(self, kid: str | None) -> "asyncio.Task[None]":
        if self._keys and not self._has(kid):
            self._pause_until = self._now() + self._cooldown
        # In a context of its own: neither the deadline nor the cancellation of the request that
        # came first is that of the others who wait for it.
        self._fetching = asyncio.create_task(self._refresh(), context=contextvars.Context())
        return self._fetching

    async def _refresh(self) -> None:
        try:
            self._keys = await self._download()
            self._expires = self._now() + self._ttl
            self._failing = False
        except Exception as exc:  # noqa: BLE001 - however it fails, the keys that are here stay
            self._failing = True
            pause = self._cooldown if self._keys else RETRY_SECONDS
            self._pause_until = self._now() + pause
            error = f"{type(exc).__name__}: {exc}".splitlines()[0][:200]
            self._log.warning("signing keys not fetched", error=error, kept=len(self._keys))
        finally:
            self._fetching = None

    async def _download(self) -> dict[str, _ByAlgorithm]:
        response = await self._client.request("GET", self._path)
        if response.status_code != 200:
            raise self._unavailable(f"status {response.status_code}")
        try:
            published = response.json()["keys"]
        except (ValueError, KeyError, TypeError):
            published = None
        if not isinstance(published, list):
            raise self._unavailable("not a JWKS")
        keys: dict[str, _ByAlgorithm] = {}
        for jwk in published:
            usable = _usable(jwk, self.algorithms)
            if usable:
                # Of two keys with one id and algorithm the first counts.
                keys[jwk.get("kid", "")] = usable | keys.get(jwk.get("kid", ""), {})
        if not keys:
            raise self._unavailable("a JWKS without a usable key")
        return keys

    def _unavailable(self, reason: str) -> DependencyUnavailable:
        return DependencyUnavailable(self._client.dependency, reason)


def _usable(jwk: Any, algorithms: Sequence[str]) -> _ByAlgorithm:
    """The algorithms that this member of a JWKS verifies; none where it is not for us.

    A key may name one algorithm; otherwise its type decides, and its curve.
    """
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid", ""), str):
        return {}
    # A published private key is known to everybody.
    if jwk.get("use", "sig") != "sig" or "d" in jwk:
        return {}
    operations = jwk.get("key_ops")
    if isinstance(operations, list) and "verify" not in operations:
        return {}
    keys = {}
    for algorithm in algorithms:
        if jwk.get("alg", algorithm) != algorithm:
            continue
        try:
            key = jwt.PyJWK(jwk, algorithm)
            prepared = key.Algorithm.prepare_key(key.key)  # refuses another curve
        except (jwt.PyJWTError, UnsupportedAlgorithm, TypeError, ValueError, OverflowError):
            continue
        if key.Algorithm.check_key_length(prepared) is None:
            keys[algorithm] = key
    return keys
