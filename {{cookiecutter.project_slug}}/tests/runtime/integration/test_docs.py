"""`/docs` comes from this service alone, and its page may load and run nothing else."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urljoin

import httpx
import pytest

from steadfast_service.runtime.http.docs import takes_gzip

from ...support.serving import Served, served


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("docs")) as it:
        yield it


async def links(client: httpx.AsyncClient) -> list[str]:
    """What the page loads, by its address from the root."""
    page = await client.get("/docs")
    assert page.status_code == 200
    found = re.findall(r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', page.text)
    return [urljoin("/docs", one) for one in found]


async def test_the_page_allows_only_what_the_service_sends(running: Served) -> None:
    page = await running.client.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.headers["cache-control"] == "no-cache"
    # What the policy forbids is not there either: scripts and styles inside the page.
    assert not re.search(r"<script[^>]*>[^<]|<style|style=|\son\w+=", page.text)
    assert "//" not in page.text


async def test_everything_it_loads_is_here_and_kept_for_good(running: Served) -> None:
    places = await links(running.client)
    names = {place.rsplit("/", 1)[1] for place in places}
    assert names == {"docs.js", "favicon-32x32.png", "swagger-ui-bundle.js", "swagger-ui.css"}
    types = {".js": "text/javascript", "css": "text/css", "png": "image/png"}
    for place in places:
        assert place.startswith("/docs/")
        file = await running.client.get(place)
        assert file.status_code == 200
        assert file.headers["content-type"].startswith(types[place[-3:]])
        assert file.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in file.headers["cache-control"]


async def test_files_are_compressed_for_those_who_take_it(running: Served) -> None:
    (bundle,) = (place for place in await links(running.client) if "bundle" in place)
    packed = await running.client.get(bundle, headers={"accept-encoding": "br, gzip"})
    plain = await running.client.get(bundle, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) * 3 < int(plain.headers["content-length"])
    assert packed.content == plain.content
    assert b"SwaggerUIBundle" in plain.content
    for answer in (packed, plain):
        assert answer.headers["vary"] == "accept-encoding"


async def test_a_page_of_another_version_still_gets_its_files(running: Served) -> None:
    other = await running.client.get("/docs/0000000000000000/docs.js")
    assert other.status_code == 200
    assert other.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["docs.py", "..%2Fdocs.py", "%2e%2e%2fdocs.py", "redoc.js"])
async def test_no_other_file_is_served(running: Served, name: str) -> None:
    assert (await running.client.get(f"/docs/0000000000000000/{name}")).status_code == 404


async def test_it_is_in_no_schema_and_there_is_no_other_documentation(running: Served) -> None:
    paths = (await running.client.get("/openapi.json")).json()["paths"]
    assert not [path for path in paths if path.startswith(("/docs", "/redoc"))]
    assert (await running.client.get("/redoc")).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("br, gzip ; q=1", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("br, identity", False),
        ("", False),
    ],
)
def test_what_an_accept_encoding_takes(accepted: str, *, taken: bool) -> None:
    assert takes_gzip(accepted) is taken
