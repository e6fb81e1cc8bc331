"""Asks a running service's management port, for the command line."""

import http.client
import json
import os
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CONNECT_TIMEOUT = 5.0  # seconds
TOKEN = "APP_MANAGEMENT__TOKEN"  # noqa: S105 - the variable's name


class CommandFailed(Exception):
    """Why, in a line for the person at the terminal."""


def token_from(file: Path | None) -> str:
    """The token of this file, or of the environment; never an argument, which `ps` shows.

    Raises:
        CommandFailed: the file cannot be read.
    """
    if file is None:
        return os.environ.get(TOKEN, "")
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandFailed(f"--token-file {file}: {_reason(exc)}") from None


class Management:
    """One management port.

    No redirect is followed, so that the token goes nowhere else.

    Args:
        url: its address, with a prefix where a proxy adds one.
        token: for what needs one.

    Raises:
        CommandFailed: this is no address, or the token could not be sent.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url.rstrip("/")
        try:
            parts = urlsplit(self._url)
            port = parts.port
        except ValueError as exc:
            raise CommandFailed(f"--url {url}: {exc}") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CommandFailed(f"--url {url}: takes an address such as http://127.0.0.1:9000")
        if not token.isascii() or not token.isprintable():
            raise CommandFailed("the token holds characters that no header can")
        self._encrypted = parts.scheme == "https"
        self._host, self._port = parts.hostname, port
        self._prefix = parts.path
        self._token = token

    def json(self, path: str) -> Any:
        """The document at this path. Raises `CommandFailed`."""
        return self._decoded(self._call("GET", path, None, CONNECT_TIMEOUT))

    def content(self, path: str, timeout: float) -> bytes:
        """What is at this path, within this many seconds. Raises `CommandFailed`."""
        return self._call("GET", path, None, timeout)

    def command(self, path: str, body: Any, timeout: float) -> Any:
        """Post it, and wait for the answer this many seconds. Raises `CommandFailed`."""
        return self._decoded(self._call("POST", path, json.dumps(body).encode(), timeout))

    def _connection(self) -> http.client.HTTPConnection:
        if self._encrypted:
            return http.client.HTTPSConnection(self._host, self._port, timeout=CONNECT_TIMEOUT)
        return http.client.HTTPConnection(self._host, self._port, timeout=CONNECT_TIMEOUT)

    def _call(self, method: str, path: str, body: bytes | None, timeout: float) -> bytes:
        headers = {"Accept": "*/*"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            if self._token:
                headers["Authorization"] = f"Bearer {self._token}"
        connection = self._connection()
        try:
            connection.connect()
            connection.sock.settimeout(timeout)
            connection.request(method, self._prefix + path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except TimeoutError:
            raise CommandFailed(f"{self._url}: no answer in time") from None
        except (OSError, http.client.HTTPException) as exc:
            raise CommandFailed(f"{self._url}: {_reason(exc)}") from None
        finally:
            # Also when the user stops it: the service sees that, and stops what was asked for.
            connection.close()
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise CommandFailed(f"{self._url}{path}: {_refusal(answer.status, content)}")
        return content

    def _decoded(self, content: bytes) -> Any:
        try:
            return json.loads(content)
        except ValueError:
            raise CommandFailed(f"{self._url}: no JSON, so no management port") from None


def _reason(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or str(exc) or type(exc).__name__


def _refusal(status: int, content: bytes) -> str:
    """What the problem says; its status where it is none."""
    try:
        problem = json.loads(content)
        errors = [f"{error['pointer']}: {error['detail']}" for error in problem.get("errors", ())]
        said = " ".join([problem.get("detail") or problem["title"], *errors])
    except (ValueError, KeyError, TypeError, AttributeError):
        said = http.client.responses.get(status, "")
    return f"{status} {said}".rstrip()
