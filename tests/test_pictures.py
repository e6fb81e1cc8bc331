"""docs/explanation: its pictures show what the code says, its pages name what is there."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.pictures import PICTURES, code
from tests.pictures.__main__ import FOLDER
from tests.pictures.drawing import WIDTH, Colour
from tests.rendering import ROOT, rendered

PAGES = ROOT / "docs" / "explanation"
# Of the site's theme, furo: light and dark.
BACKGROUNDS = ("#ffffff", "#131416")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_the_code_says_now(name: str) -> None:
    drawn = PICTURES[name]().svg().encode()
    there = FOLDER / f"{name}.svg"
    assert there.is_file(), "make pictures draws it"
    assert there.read_bytes() == drawn, "the code has changed; make pictures draws it anew"


def test_every_picture_is_shown_with_words_for_who_cannot_see_it() -> None:
    shown: list[str] = []
    for page in sorted(PAGES.glob("*.md")):
        figures = re.findall(
            r"^:::\{figure\} (\S+)\n:alt: (.+)\n\n(.+)\n:::$", page.read_text(), re.MULTILINE
        )
        shown += [Path(file).name for file, _, _ in figures]
    assert sorted(shown) == sorted(file.name for file in FOLDER.iterdir())
    assert sorted(shown) == sorted(f"{name}.svg" for name in PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_of_a_picture_is_fetched_or_stands_outside_of_it(name: str) -> None:
    text = PICTURES[name]().svg()
    assert re.findall(r"https?://\S+", text) == ['http://www.w3.org/2000/svg"']
    assert not re.search(r"@import|@font-face|url\((?!#)|href|<script|<image", text)
    root = ET.fromstring(text)
    height = float(root.attrib["height"])
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        x, y, wide, high = (float(box.attrib[one]) for one in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= WIDTH
        assert 0 <= y <= y + high <= height
        assert wide > 0


@pytest.mark.parametrize("colour", Colour)
def test_a_colour_can_be_told_from_light_and_from_dark(colour: Colour) -> None:
    # WCAG 2: 3 for shapes, 4.5 for text; no grey has more than 4.27 on both backgrounds.
    least = 4.2 if colour is Colour.TEXT else 3.3
    assert min(_contrast(colour, one) for one in BACKGROUNDS) >= least
    if colour is not Colour.TEXT:
        assert _contrast("#ffffff", colour) >= 4.5


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_what_a_page_names_is_there(page: Path) -> None:
    text, service = page.read_text(encoding="utf-8"), rendered()
    paths = re.findall(r"`((?:src/<package>|tools|deploy)/[^`]+)`", text)
    named = [path.replace("<package>", "orders") for path in paths]
    assert not [path for path in named if not service.joinpath(path).exists()]


def test_what_is_gone_from_the_code_is_no_longer_drawn() -> None:
    with pytest.raises(LookupError):
        code.default("settings.py", "Http", "no_such_setting")
    with pytest.raises(LookupError):
        code.constant("runtime/watchdog.py", "NO_SUCH_CONSTANT")


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
