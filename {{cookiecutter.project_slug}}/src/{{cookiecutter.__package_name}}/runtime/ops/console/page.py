"""The page and its sections as HTML, made of the documents alone."""

import asyncio
import contextvars
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from ..documents import Document
from .environment import STYLE, open_environment, texts
from .headers import page_headers
from .readings import Reading
from .sections import SECTIONS, Section
from .static_files import Assets, open_assets

if TYPE_CHECKING:
    from jinja2 import Environment


class _Rendered(NamedTuple):
    versions: tuple[int, ...]
    html: str


class _Loaded(NamedTuple):
    environment: "Environment"
    assets: Assets
    style: str


class Frame(NamedTuple):
    """What is around the sections. Nothing has to be found out for it, so it is there at once."""

    before: str
    after: str
    headers: Mapping[str, str]


# Of `/info`: what the head of the page and the kind of its buttons are made of.
FIXED = ("name", "version", "environment", "changes")
# Seconds after the start. By then nobody waits for it, and it costs the service little.
WARM_UP_AFTER = 5.0
BREATH = 0.01  # seconds for requests after each section, which takes 1 to 5 ms to make
SECTIONS_HERE = "<!-- sections -->"


class Page:
    """What a browser gets. The start of the service has no part in loading and compiling.

    Args:
        documents: by path, at least those of `sections`.
    """

    def __init__(
        self, documents: Mapping[str, Document], sections: tuple[Section, ...] = SECTIONS
    ) -> None:
        self.sections = {section.name: section for section in sections}
        paths = {path for section in sections for path in section.paths} | {"/info"}
        self._readings = {path: Reading(documents[path]) for path in sorted(paths)}
        self._rendered: dict[str, _Rendered] = {}
        self._loading: asyncio.Task[_Loaded] | None = None
        self._making: asyncio.Task[str] | None = None
        self._hurry = threading.Event()
        self._failed: set[tuple[str, str]] = set()
        self._log = structlog.get_logger().bind(logger="console")

    async def warm_up(self) -> None:
        """Load slowly, so that the first one who looks need not wait, and no request either."""
        try:
            await asyncio.sleep(WARM_UP_AFTER)
            await self._loaded()
            await self.frame()  # what templates and documents do the first time only
            await self.content()
        except Exception:  # noqa: BLE001 - whoever looks will see what is wrong
            self._log.exception("console warm-up failed")
        finally:
            self._hurry.set()  # the process is about to end: do not keep it

    async def assets(self) -> Assets:
        """The static files that the page asks for."""
        return (await self._load()).assets

    async def version(self) -> str:
        """What an open page shows and never renews; it loads itself again for another one.

        By it a page notices that it is told of another service, as behind a forwarded port.
        """
        info = self._readings["/info"].content or {}
        fixed = [str(info.get(name, "")) for name in FIXED]
        return " ".join([(await self._load()).assets.version, *fixed])

    async def refresh(self, section: Section | None = None, *, at_once: bool = False) -> None:
        """Read the documents that are due, of a section or all; or each of them, at once."""
        paths = section.paths if section else self._readings
        await asyncio.gather(*(self._readings[path].refresh(at_once=at_once) for path in paths))

    async def section(self, section: Section) -> str:
        """Its HTML from what was read last; made anew only if that is another."""
        loaded = await self._load()
        readings = [self._readings[path] for path in section.paths]
        versions = tuple(reading.version for reading in readings)
        rendered = self._rendered.get(section.name)
        if rendered is None or rendered.versions != versions:
            rendered = _Rendered(versions, self._render(loaded.environment, section, readings))
            self._rendered[section.name] = rendered
        return rendered.html

    async def frame(self) -> Frame:
        """The page without its sections."""
        from markupsafe import Markup

        loaded = await self._load()
        await self._readings["/info"].refresh(at_once=True)
        html = loaded.environment.get_template("page.html").render(
            info=self._readings["/info"].content,
            sections=self.sections.values(),
            style=Markup(loaded.style),  # noqa: S704 - it is ours
            page=await self.version(),
            static=loaded.assets.path,
            at=datetime.now(UTC).strftime("%H:%M:%S UTC"),
        )
        before, _, after = html.partition(SECTIONS_HERE)
        return Frame(before, after, page_headers(loaded.style))

    async def content(self) -> str:
        """All sections as they are now; whoever asks while they are made gets the same."""
        if self._making is None:
            self._making = asyncio.create_task(
                self._made(), name="console page", context=contextvars.Context()
            )
        return await asyncio.shield(self._making)

    async def _made(self) -> str:
        from markupsafe import Markup

        try:
            template = (await self._load()).environment.get_template("section.html")
            await self.refresh(at_once=True)
            made = []
            for section in self.sections.values():
                html = Markup(await self.section(section))  # noqa: S704 - our templates escaped it
                made.append(template.render(section=section, html=html))
                await asyncio.sleep(BREATH)
            return "".join(made)
        finally:
            self._making = None

    def _render(self, environment: "Environment", section: Section, readings: list[Reading]) -> str:
        notes = [_broken(f"{one.document.path}: {one.error}") for one in readings if one.error]
        known: dict[str, Any] = {
            one.name: one.content for one in readings if one.content is not None
        }
        if readings[0].content is None:
            return "".join(notes)
        try:
            html = environment.get_template(f"sections/{section.name}.html").render(known)
        except Exception as exc:  # noqa: BLE001 - the other sections are still worth reading
            error = f"{type(exc).__name__}: {exc}"
            if (section.name, error) not in self._failed and len(self._failed) < 100:
                self._failed.add((section.name, error))
                self._log.exception("console section failed", section=section.name)
            html = _broken(f"This section cannot be shown. {error}")
        return "".join([*notes, html])

    async def _load(self) -> _Loaded:
        self._hurry.set()
        return await self._loaded()

    async def _loaded(self) -> _Loaded:
        loading = self._loading
        if loading is None:
            loading = self._loading = asyncio.create_task(self._in_thread(), name="console loads")
        try:
            return await asyncio.shield(loading)
        except Exception:
            if self._loading is loading:
                self._loading = None  # the next one may have more luck
            raise

    async def _in_thread(self) -> _Loaded:
        # Compiling in the event loop would hold all requests up for some 0.2 s.
        return await asyncio.to_thread(_read_files, self._hurry)


def _read_files(hurry: threading.Event) -> _Loaded:
    files = texts()
    return _Loaded(open_environment(files, hurry), open_assets(files), files[STYLE])


def _broken(text: str) -> str:
    from markupsafe import escape

    return f'<p class="broken" role="note">{escape(text)}</p>\n'
