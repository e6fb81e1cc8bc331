"""`/docs`: the API to read and to try, from files of this image; no other host is asked.

`fastapi-swagger` is taken for its copy of swagger-ui alone: nothing of it is imported.
"""

import asyncio
import gzip
import hashlib
from collections.abc import Mapping
from html import escape
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from .problems import Problem

PACKAGE: Final = "fastapi_swagger"
MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
}
# swagger-ui's icons are `data:` images; with this layout of it nothing else needs an exception.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Relative, so that they are found behind a proxy that adds a prefix, too.
PAGE: Final = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="$icon">
<link rel="stylesheet" href="$style">
<script src="$bundle" defer></script>
<script src="$start" defer></script>
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> does not.</noscript>
</body>
</html>
""")


class _Asset(NamedTuple):
    name: str
    digest: str
    packed: bytes


class Docs:
    """The page and its files, which are read when somebody first looks at it.

    Args:
        title: of the page.

    Raises:
        RuntimeError: swagger-ui's files are not installed.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        spec = find_spec(PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise RuntimeError(f"{PACKAGE} is not installed: /docs shows its files")
        bought = Path(spec.submodule_search_locations[0], "resources")
        self._files = {
            "bundle": bought / "swagger-ui-bundle.js",
            "icon": bought / "favicon-32x32.png",
            "start": Path(__file__).with_name("static") / "docs.js",
            "style": bought / "swagger-ui.css",
        }
        self._assets: Mapping[str, _Asset] | None = None
        self._reading = asyncio.Lock()
        self._plain: dict[str, bytes] = {}

    def routes(self) -> list[Route]:
        """They are in no schema."""
        return [
            Route("/docs", self._page, include_in_schema=False),
            Route("/docs/{digest}/{name}", self._file, include_in_schema=False),
        ]

    async def _read(self) -> Mapping[str, _Asset]:
        async with self._reading:
            if self._assets is None:
                # Packing takes 0.2 s, which must hold up no request.
                read = await asyncio.to_thread(lambda: [*map(_read, self._files.values())])
                self._assets = {asset.name: asset for asset in read}
        return self._assets

    async def _page(self, _: Request) -> Response:
        assets = await self._read()
        urls = {
            key: f"docs/{assets[path.name].digest}/{path.name}" for key, path in self._files.items()
        }
        text = PAGE.substitute(title=escape(self._title), **urls)
        headers = {
            "cache-control": "no-cache",
            "content-security-policy": POLICY,
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }
        return HTMLResponse(text, headers=headers)

    async def _file(self, request: Request) -> Response:
        asset = (await self._read()).get(request.path_params["name"])
        if asset is None:
            raise Problem(404)
        # During a roll-out the page may be another version's: these will do, but nobody keeps
        # them under that name.
        same = asset.digest == request.path_params["digest"]
        headers = {
            "cache-control": "public, max-age=31536000, immutable" if same else "no-store",
            "content-type": MEDIA_TYPES[Path(asset.name).suffix],
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        }
        if takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(asset.packed, headers=headers | {"content-encoding": "gzip"})
        # One copy for all: a slow reader holds on to what it is sent, for as long as it likes.
        plain = self._plain.get(asset.name)
        if plain is None:
            plain = await asyncio.to_thread(gzip.decompress, asset.packed)
            plain = self._plain.setdefault(asset.name, plain)
        return Response(plain, headers=headers)


def _read(path: Path) -> _Asset:
    # The image holds them packed: a quarter of the size.
    in_image = path.with_name(f"{path.name}.gz")
    if in_image.is_file():
        packed = in_image.read_bytes()
    else:
        packed = gzip.compress(path.read_bytes(), mtime=0)
    return _Asset(path.name, hashlib.sha256(packed).hexdigest()[:16], packed)


def takes_gzip(accepted: str) -> bool:
    """Whether this `Accept-Encoding` names gzip, and not only to refuse it."""
    for one in accepted.lower().split(","):
        coding, _, quality = (part.strip() for part in one.partition(";"))
        if coding == "gzip":
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
