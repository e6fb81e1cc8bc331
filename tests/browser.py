"""A real Chromium without a window, and all that it has to say about a page."""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PAGE_BYTES = 150_000  # of the page with all that it loads, not compressed
# Nothing here is asserted to be quick: this is how long a busy machine may take.
expect.set_options(timeout=60_000)

PAINT = """() => new Promise((found) => new PerformanceObserver((list) =>
  list.getEntriesByName("first-contentful-paint").forEach((one) => found(one.startTime))
).observe({ type: "paint", buffered: true }))"""
# Told by the page itself: which of its parts the policy has refused.
VIOLATIONS = """addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
});"""


def painted(page: Page) -> float:
    """Milliseconds from the address to the first thing that was seen of it."""
    found: float = page.evaluate(PAINT)
    return found


def installed() -> str | None:
    """Where the browser is, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def executable() -> str:
    """The installed browser; skips the test where there is none and none is required."""
    if found := installed():
        return found
    assert os.environ.get("REQUIRE_CHROMIUM") != "1", "no Chromium is installed"
    pytest.skip("no Chromium is installed")


@contextmanager
def chromium() -> Iterator[Browser]:
    """One process; each `look` has a profile of its own in it."""
    path = executable()
    # Its sandbox does not work for root, as which a container's tests run.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """One look at a page.

    Attributes:
        complaints: errors and warnings of the console, exceptions, what the policy refused.
        urls: everything that was asked for.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen."""
        context = self.page.context
        context.on("request", self._asked)
        context.on("console", lambda said: self._said(said.type, said.text))
        context.on("weberror", lambda raised: self.complaints.append(str(raised.error)))
        context.on("requestfailed", self._failed)

    def _asked(self, request: Request) -> None:
        self.urls.append(request.url)

    def _said(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def _failed(self, request: Request) -> None:
        # The browser ends what a page has open when it leaves that page.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.url}: {request.failure}")

    def hosts(self) -> set[str]:
        """Whom it asked."""
        return {urlsplit(url).netloc for url in self.urls if not url.startswith("data:")}


@contextmanager
def look(browser: Browser, url: str, *, before: str = "", **how: object) -> Iterator[Visit]:
    """Open a page in a fresh profile.

    Args:
        before: a script that the page's own ones find already run.
        how: Playwright's options of a context, such as `viewport` or `color_scheme`.

    Raises:
        AssertionError: at the end, if the page had complaints or asked another host.
    """
    context: BrowserContext = browser.new_context(**how)  # type: ignore[arg-type]
    context.add_init_script(f"{VIOLATIONS}\n{before}")
    try:
        visit = Visit(context.new_page())
        visit.page.goto(url)
        yield visit
        assert visit.complaints == []
        assert visit.hosts() == {urlsplit(url).netloc}
    finally:
        context.close()


def weights(visit: Visit) -> dict[str, int]:
    """What it has loaded, and how many bytes each of it has."""
    urls = {url for url in visit.urls if not url.endswith("/events")}
    return {url: len(httpx.get(url).raise_for_status().content) for url in urls}


def accessibility(page: Page) -> list[tuple[str, str]]:
    """Role and name of everything that a screen reader meets, in its order."""
    session = page.context.new_cdp_session(page)
    tree = session.send("Accessibility.getFullAXTree")
    session.detach()
    nodes = json.loads(json.dumps(tree))["nodes"]
    return [
        (node["role"]["value"], node.get("name", {}).get("value", "").strip())
        for node in nodes
        if not node["ignored"]
    ]


def seconds_go_by(page: Page, number: int) -> None:
    """The page has told a new time so many times."""
    age = page.locator("#stream-age")
    for _ in range(number):
        expect(age).not_to_have_text(age.text_content() or "")


def unfold(page: Page) -> None:
    """Open all that can be opened."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")


def picture(page: Page) -> bytes:
    """What is seen of it now, as WebP, which Playwright itself does not write."""
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": 80})
    session.detach()
    return base64.b64decode(taken["data"])


def contrasts(page: Page) -> list[str]:
    """Texts that stand out too little from what is behind them, by WCAG's AA."""
    found: list[str] = page.evaluate(CONTRASTS)
    return found


CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const mix = (layers) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const layer of layers) {
      canvas.fillStyle = layer;
      canvas.fillRect(0, 0, 1, 1);
    }
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((one) => one / 255).map((one) =>
      one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim();
    const element = texts.currentNode.parentElement;
    if (!text || !element.checkVisibility() || element.closest("svg, noscript, script")) continue;
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.unshift(getComputedStyle(at).backgroundColor);
    }
    layers.unshift("white");
    const style = getComputedStyle(element);
    const [high, low] = [luminance(mix([...layers, style.color])), luminance(mix(layers))]
      .sort((one, other) => other - one);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)}: ${text.slice(0, 60)}`);
  }
  return [...new Set(found)];
}"""


# Notes what had the focus, and whether it could be seen; returns how much there is to reach.
FOLLOW = """() => {
  const reachable = [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']"
  )].filter((one) => one.checkVisibility() && !one.disabled);
  const reached = new Set();
  window.notSeen = [];
  document.addEventListener("focusin", ({ target }) => {
    reached.add(target);
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(target);
    const seen = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
    if (!seen) window.notSeen.push(target.outerHTML.slice(0, 100));
  });
  window.notReached = () => reachable
    .filter((one) => one.isConnected && one.checkVisibility() && !reached.has(one))
    .map((one) => one.outerHTML.slice(0, 100));
  return reachable.length;
}"""
