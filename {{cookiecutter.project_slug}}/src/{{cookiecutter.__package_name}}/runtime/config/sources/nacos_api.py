"""Nacos's HTTP API as far as one configuration needs it, of both generations, with its login."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import orjson

from ..options import ConfigOptions
from ..reading import SourceError
from .asking import said
from .remote import Address, Remote

MIN_HOLD = 10.0  # seconds that a server holds a listener at least, whatever it is asked for
HOLD_SHARE = 0.8  # of the watch's time; the rest is for the answer's way
RENEWAL = 0.9  # of a token's life, as Nacos's own clients have it
NOT_THERE = b"config data not exist"  # with 404: 1.x and 2.x
CLIENT_PATH = "/v3/client/cs/config"
OK, RESOURCE_NOT_FOUND = 0, 20004  # codes of 3.x


class Content(NamedTuple):
    """A configuration.

    Attributes:
        kind: the type that was chosen for it: `yaml`, `properties`, `text`; empty: none.
        md5: what the server has computed.
    """

    data: bytes
    kind: str
    md5: str


class NacosApi:
    """Reads one configuration and waits for its changes.

    Args:
        min_hold: how long a server holds a listener at least, in seconds.
        clock: monotonic seconds.

    Attributes:
        listens: whether the servers can be waited on: 1.x and 2.x. None: not known yet.
    """

    def __init__(
        self,
        address: Address,
        options: ConfigOptions,
        *,
        min_hold: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._group = address.query.get("group", "DEFAULT_GROUP")
        self.listens: bool | None = None
        self._data_id = address.path
        namespace = address.query.get("namespace", "")
        # 1.x takes the name of the default namespace for another one, which is empty.
        self._namespace = "" if namespace == "public" else namespace
        context = address.query.get("context", "nacos").strip("/")
        self._context = f"/{context}" if context else ""
        self._remote = Remote(address, options)
        self._hold = HOLD_SHARE * options.watch_timeout
        self._hold_timeout = max(options.watch_timeout, min_hold + options.request_timeout)
        self._user, self._password = address.user, address.password
        self._token, self._renew_at = "", 0.0
        self._clock = clock

    async def recognise(self) -> None:
        """Find out which generation answers: 3.x alone has a path for clients.

        Raises:
            SourceError: that cannot be told now.
        """
        response = await self._remote.request(
            "GET", self._context + CLIENT_PATH, params=self._client_query()
        )
        status = response.status_code
        if isinstance(_document(response).get("code"), int):
            self.listens = False
        elif 400 <= status < 500 or status == 501:  # 501: from 1.2 with authentication
            self.listens = True
        else:
            raise self._refusal(response)

    async def get(self) -> Content | None:
        """Read it; None: there is no such configuration.

        Raises:
            SourceError: it cannot be read.
        """
        return await (self._get_v1() if self.listens else self._get_v3())

    async def changed(self, md5: str) -> bool:
        """Wait until it may be another one than of this `md5` (empty: none), or time is over.

        Raises:
            SourceError: it cannot be waited for.
        """
        fields = [self._data_id, self._group, md5, *filter(None, [self._namespace])]
        response = await self._call(
            "POST",
            "/v1/cs/configs/listener",
            seconds=self._hold_timeout,
            data={"Listening-Configs": "\x02".join(fields) + "\x01"},
            headers={"Long-Pulling-Timeout": f"{1000 * self._hold:.0f}"},
        )
        if response.status_code != 200:
            raise self._refusal(response)
        return bool(response.content.strip())  # it names what has changed

    async def close(self) -> None:
        """Close its connections."""
        await self._remote.close()

    async def _get_v1(self) -> Content | None:
        query = {"dataId": self._data_id, "group": self._group, "tenant": self._namespace}
        response = await self._call("GET", "/v1/cs/configs", params=query)
        # Any other page with 404 is not Nacos's, and must remove nothing.
        if response.status_code == 404 and NOT_THERE in response.content:
            return None
        headers = response.headers
        if response.status_code != 200 or "Content-MD5" not in headers:
            raise self._refusal(response)
        if headers.get("Encrypted-Data-Key"):
            raise SourceError(f"{self._data_id} is encrypted in Nacos")
        return Content(response.content, headers.get("Config-Type", ""), headers["Content-MD5"])

    async def _get_v3(self) -> Content | None:
        response = await self._call("GET", CLIENT_PATH, params=self._client_query())
        answer = _document(response)
        if answer.get("code") == RESOURCE_NOT_FOUND:
            return None
        data = answer.get("data")
        if response.status_code != 200 or answer.get("code") != OK or not isinstance(data, dict):
            raise self._refusal(response)
        if data.get("encryptedDataKey"):
            raise SourceError(f"{self._data_id} is encrypted in Nacos")
        content, md5, kind = (data.get(name) for name in ("content", "md5", "contentType"))
        if not isinstance(content, str) or not isinstance(md5, str):
            raise self._refusal(response)
        return Content(content.encode(), str(kind or ""), md5)

    def _client_query(self) -> dict[str, str]:
        return {
            "dataId": self._data_id,
            "groupName": self._group,
            "namespaceId": self._namespace,
        }

    async def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request as our user; once more where the token is not taken any longer."""
        response = await self._call_once(method, path, **options)
        if response.status_code in (401, 403) and self._user:
            self._renew_at = 0.0
            response = await self._call_once(method, path, **options)
        return response

    async def _call_once(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        **options: Any,
    ) -> httpx.Response:
        if self._user and self._clock() >= self._renew_at:
            await self._log_in()
        # In a header, for addresses end up in the logs of proxies.
        bearer = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return await self._remote.request(
            method, self._context + path, headers={**headers, **bearer}, **options
        )

    async def _log_in(self) -> None:
        path = "/v1/auth/users/login" if self.listens else "/v3/auth/user/login"
        response = await self._remote.request(
            "POST",
            self._context + path,
            data={"username": self._user, "password": self._password},
        )
        answer = _document(response)
        token, ttl = answer.get("accessToken"), answer.get("tokenTtl")
        if response.status_code != 200 or not isinstance(token, str) or not isinstance(ttl, int):
            status, words = response.status_code, said(response, self._password)
            raise SourceError(f"Nacos does not let us log in: it answers {status}{words}")
        self._token, self._renew_at = token, self._clock() + RENEWAL * ttl

    def _refusal(self, response: httpx.Response) -> SourceError:
        status, code = response.status_code, _document(response).get("code")
        what = f"{status} with the code {code}" if isinstance(code, int) else f"{status}"
        words = said(response, self._password, self._token)
        if status in (401, 403):
            who = "our user" if self._user else "whoever does not log in"
            return SourceError(f"Nacos refuses {who} {self._data_id}: it answers {what}{words}")
        return SourceError(f"Nacos answers {what} for {self._data_id}{words}")


def _document(response: httpx.Response) -> dict[str, Any]:
    """The JSON object in an answer; empty: there is none."""
    try:
        found = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
