"""The operators' page: whole as it is served, made of the JSON documents, and locked down."""

import base64
import hashlib
import re
import threading
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from steadfast_service.runtime.ops.console.environment import (
    open_environment,
    texts,
)
from steadfast_service.runtime.ops.console.sections import SECTIONS
from steadfast_service.runtime.ops.console.static_files import open_assets

from ...support.management import OPERATOR, TOKEN
from ...support.serving import Served, served

MAX_BYTES = 150_000
PLANTED = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'none'; img-src 'self'; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# What stands still between two requests, so that a page and its documents can be compared.
STILL = ("configuration", "flags", "audit", "build")


class Parsed(HTMLParser):
    """Every start tag of a page with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def values(self, tag: str, name: str) -> list[str]:
        return [value for at, has in self.tags if at == tag and (value := has.get(name))]


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("page"), management={"token": TOKEN}) as it:
        yield it


async def assets(ops: httpx.AsyncClient, page: str) -> dict[str, httpx.Response]:
    """What a browser loads for this page, and what its scripts import."""
    parsed = Parsed(page)
    paths = [*parsed.values("link", "href"), *parsed.values("script", "src")]
    paths += parsed.values("body", "data-worker")
    found: dict[str, httpx.Response] = {}
    while paths:
        path = paths.pop()
        if path not in found:
            found[path] = await ops.get(f"/{path}")
            imported = re.findall(r'^import .* from "\./(.*)";$', found[path].text, re.MULTILINE)
            paths += [f"{path.rpartition('/')[0]}/{name}" for name in imported]
    return found


async def test_every_section_is_there_in_order_and_links_to_its_json(running: Served) -> None:
    answer = await running.ops.get("/")
    for _ in range(20):  # a busy machine's documents may come after the first look
        if 'class="broken"' in answer.text:
            answer = await running.ops.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    parsed = Parsed(answer.text)
    names = [section.name for section in SECTIONS]
    assert parsed.values("section", "id") == names
    assert parsed.values("div", "data-section") == names
    assert 'class="broken"' not in answer.text
    links = {link for link in parsed.values("a", "href") if not link.startswith("#")}
    assert links >= {path[1:] for section in SECTIONS for path in section.paths}
    for link in links:
        assert (await running.ops.get(f"/{link}")).status_code == 200, link


@pytest.mark.parametrize("name", STILL)
async def test_a_section_is_its_documents_and_nothing_else(running: Served, name: str) -> None:
    hurry = threading.Event()
    hurry.set()
    template = open_environment(texts(), hurry).get_template(f"sections/{name}.html")
    [section] = [one for one in SECTIONS if one.name == name]
    documents = {
        path.rpartition("/")[2]: (await running.ops.get(path)).json() for path in section.paths
    }
    shown = await running.ops.get(f"/console/sections/{name}")
    assert shown.text == template.render(documents)
    assert shown.text in (await running.ops.get("/")).text


@pytest.mark.parametrize("path", ["/", "/console/sections/traffic", "/console/events"])
async def test_a_browser_runs_and_loads_only_what_is_ours(running: Served, path: str) -> None:
    answer = await running.ops.head(path)
    assert answer.status_code == 200
    allowed = answer.headers["content-security-policy"]
    if path == "/":
        [style] = re.findall(r"<style>(.*?)</style>", (await running.ops.get(path)).text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        allowed = allowed.replace(f"'sha256-{digest}'", "'none'")
    assert allowed == POLICY
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_what_a_browser_loads_is_kept_small_and_known_by_its_content(running: Served) -> None:
    page = (await running.ops.get("/")).text
    found = await assets(running.ops, page)
    assert {path.rpartition(".")[2] for path in found} == {"js", "svg"}
    for path, answer in found.items():
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["content-encoding"] == "gzip"
    total = len(page.encode()) + sum(len(answer.content) for answer in found.values())
    assert total <= MAX_BYTES
    first = next(path for path in found if path.endswith("console.js"))
    plain = await running.ops.get(f"/{first}", headers={"accept-encoding": "gzip;q=0, br"})
    assert plain.content == found[first].content
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] != found[first].headers["etag"]
    known = {"if-none-match": found[first].headers["etag"]}
    again = await running.ops.get(f"/{first}", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    head = await running.ops.head(f"/{first}")
    assert (head.status_code, head.content) == (200, b"")


async def test_a_file_of_another_version_is_answered_and_not_kept(running: Served) -> None:
    other = await running.ops.get("/console/static/0123456789ab/console.js")
    assert (other.status_code, other.headers["cache-control"]) == (200, "no-store")
    for name in ("nothing.js", "..%2fopening.py", "page.html"):
        missing = await running.ops.get(f"/console/static/0123456789ab/{name}")
        assert missing.status_code == 404
        assert missing.headers["content-type"] == "application/problem+json"
    assert (await running.ops.get("/console/sections/nothing")).status_code == 404


def test_no_file_of_the_page_names_another_host() -> None:
    loaded = open_assets(texts()).texts()
    files = {**texts(), **{name: text.decode() for name, text in loaded.items()}}
    assert len(files) > len(SECTIONS)
    for name, text in files.items():
        addresses = set(re.findall(r"""(?:\w+:)?//[\w-]+\.[\w./-]+""", text))
        # The name of a file format, which nobody loads.
        assert addresses <= {"http://www.w3.org/2000/svg"}, name
        assert not re.search(r"<script(?! type=\"module\" src)|\sstyle=|\son\w+=", text), name


async def test_what_comes_from_outside_is_text(running: Served) -> None:
    strange = {"user-agent": PLANTED, "x-request-id": PLANTED, "x-planted": PLANTED}
    await running.client.get(f"/api/orders/{PLANTED}", headers=strange)
    await running.client.post("/api/orders", content=PLANTED, headers=strange)
    abort = {"route": "GET /api/version", "abort_status": 500, "expires_in": 60}
    await running.ops.post("/faults", json=abort, headers=OPERATOR)
    failed = await running.client.get(f"/api/version?x={PLANTED}", headers=strange)
    assert failed.status_code == 500
    level = {"level": "debug", "seconds": 60}
    await running.ops.put(f"/loggers/{PLANTED}", json=level, headers=OPERATOR)
    refused = {"Authorization": f"Bearer {PLANTED}"}
    await running.ops.put(f"/loggers/{PLANTED}", json=level, headers=refused)
    page = (await running.ops.get("/")).text
    await running.ops.delete("/faults", headers=OPERATOR)
    await running.ops.delete("/loggers", headers=OPERATOR)
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in page
    parsed = Parsed(page)
    assert len(parsed.values("script", "src")) == 1
    assert [tag for tag, _ in parsed.tags].count("script") == 1
    assert "img" not in {tag for tag, _ in parsed.tags}
    assert not [name for _, has in parsed.tags for name in has if name.startswith("on")]


async def test_buttons_are_there_only_where_they_can_work(running: Served, tmp_path: Any) -> None:
    with_token = Parsed((await running.ops.get("/")).text)
    assert [has for _, has in with_token.tags if "data-method" in has]
    for _, has in with_token.tags:
        if "data-method" in has:
            assert has["data-method"] in {"POST", "PUT", "DELETE"}
            assert (has["data-path"] or "").startswith("/")
            assert has["data-confirm"]
    async with served(tmp_path) as without:
        page = await without.ops.get("/")
        assert "no token is set" in page.text
        assert not [has for _, has in Parsed(page.text).tags if "data-method" in has]
