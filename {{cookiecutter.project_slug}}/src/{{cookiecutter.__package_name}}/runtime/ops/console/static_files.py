"""The files that the page asks for. Their path has their hash, so that a browser keeps them."""

import gzip
import hashlib
import importlib.resources
from collections.abc import Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from ...http.problems import Problem
from .headers import HEADERS

FOLDER = "static"
PREFIX = "console/static"  # relative, so that the page works behind a proxy's path
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOR_EVER = "public, max-age=31536000, immutable"


class Asset(NamedTuple):
    """One file."""

    body: bytes
    gzipped: bytes
    media_type: str
    etag: str


class Assets:
    """All of them, in memory: some dozens of KiB.

    Attributes:
        version: a hash of them and of the templates; another one means another page.
    """

    def __init__(self, files: Mapping[str, bytes], templates: Mapping[str, str]) -> None:
        both = {**files, **{name: text.encode() for name, text in templates.items()}}
        whole = hashlib.blake2s(digest_size=6)
        for name in sorted(both):
            whole.update(f"{name} {len(both[name])}\n".encode() + both[name])
        self.version = whole.hexdigest()
        self._assets = {name: _asset(name, body) for name, body in files.items()}

    def texts(self) -> dict[str, bytes]:
        """What is in each of them."""
        return {name: asset.body for name, asset in self._assets.items()}

    def path(self, name: str) -> str:
        """Where the page finds one. Raises `KeyError` if there is none of this name."""
        assert self._assets[name]
        return f"{PREFIX}/{self.version}/{name}"

    def respond(self, request: Request) -> Response:
        """Answer GET and HEAD.

        A path with another version is answered too, with what there is: while a new version
        is rolled out, the page and its files can come from different processes. But such an
        answer is not kept.

        Raises:
            Problem: 404 for another name.
        """
        asset = self._assets.get(request.path_params["name"])
        if asset is None:
            raise Problem(404)
        packed = _accepts_gzip(request.headers.get("accept-encoding", ""))
        etag = f'"{asset.etag}{"-gzip" if packed else ""}"'
        ours = request.path_params["version"] == self.version
        headers = {
            **HEADERS,
            "cache-control": FOR_EVER if ours else "no-store",
            "etag": etag,
            "vary": "Accept-Encoding",
        }
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if packed:
            headers["content-encoding"] = "gzip"
        return Response(
            asset.gzipped if packed else asset.body, headers=headers, media_type=asset.media_type
        )


def open_assets(templates: Mapping[str, str]) -> Assets:
    """Read them from the package; `templates` are what `Assets` takes."""
    folder = importlib.resources.files(__package__) / FOLDER
    files = {one.name: one.read_bytes() for one in folder.iterdir() if _suffix(one.name)}
    return Assets(files, templates)


def _asset(name: str, body: bytes) -> Asset:
    etag = hashlib.blake2s(body, digest_size=8).hexdigest()
    return Asset(body, gzip.compress(body, mtime=0), MEDIA_TYPES[_suffix(name)], etag)


def _suffix(name: str) -> str:
    suffix = "." + name.rpartition(".")[2]
    return suffix if suffix in MEDIA_TYPES else ""


def _accepts_gzip(header: str) -> bool:
    for one in header.lower().split(","):
        coding, _, parameters = one.partition(";")
        if coding.strip() in ("gzip", "*"):
            quality = parameters.replace(" ", "").removeprefix("q=")
            return not quality or quality.strip("0.") != ""
    return False
