"""Where the servers of a configuration centre are, from the one URL that says so."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?:(?P<user>[^@:/?#]*)(?::(?P<password>[^@/?#]*))?@)?"
    r"(?P<hosts>[^@/?#]+)(?P<path>/[^@?#]*)?(?:\?(?P<query>[^#]*))?"
)
_HOST = re.compile(r"(?P<name>[\w.-]+|\[[0-9a-fA-F:.]+\])(?::(?P<port>\d{1,5}))?", re.ASCII)
_PLAIN = frozenset({"etcd", "consul", "nacos"})


@dataclass(frozen=True, slots=True)
class Address:
    """What `APP_CONFIG__SOURCE` says.

    Attributes:
        bases: of each server, `http://host:port`.
        path: without the slash that begins it and those that end it.
    """

    bases: tuple[str, ...]
    user: str
    password: str = field(repr=False)
    path: str
    query: Mapping[str, str]

    @property
    def where(self) -> str:
        """For people: no credentials."""
        return f"{','.join(self.bases)} /{self.path}"


def parse_address(url: str, *, port: int) -> Address:
    """Read `scheme://user:password@host:port,host:port/path?query`; TLS by `etcds` and the like.

    What would have a meaning in a URL is percent-encoded in the user, the password and the path.

    Args:
        port: of a host that names none.

    Raises:
        ValueError: it is not of that form. Says nothing of what is in it.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError(
            "it is not scheme://user:password@host:port/path; a character such as @ or / in the"
            " user or password has to be percent-encoded"
        )
    user, password = unquote(found["user"] or ""), unquote(found["password"] or "")
    path = unquote(found["path"] or "").removeprefix("/").rstrip("/")
    if not (user + password + path).isprintable():
        raise ValueError("it has a character that cannot be printed")
    http = "http" if found["scheme"] in _PLAIN else "https"
    bases = tuple(f"{http}://{_host(host, port)}" for host in found["hosts"].split(","))
    return Address(bases, user, password, path, dict(parse_qsl(found["query"] or "")))


def _host(text: str, port: int) -> str:
    found = _HOST.fullmatch(text)
    number = int(found["port"] or port) if found else 0
    if found is None or not 0 < number <= 65535:
        raise ValueError("one of its hosts is not host:port, 10.0.0.1:port or [::1]:port")
    return f"{found['name']}:{number}"
