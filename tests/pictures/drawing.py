"""A few shapes as SVG, in colours that hold on light and on dark.

An `<img>` does not hear of a page's own switch between light and dark, so nothing here
depends on one: the background is transparent, and every colour is a middle tone.
"""

from enum import StrEnum
from html import escape

WIDTH = 720  # about the text's width on the site, so that a unit is a pixel there
ROUND = 5


class Colour(StrEnum):
    """White text can be read on each, and each can be seen on white and on black."""

    BLUE = "#0072b2"
    GREEN = "#00795a"
    RED = "#b84f00"
    GREY = "#6b6b6b"
    TEXT = "#7b7b7b"  # of what stands on the background itself


STYLE = f"""<style>
text {{ font: 13px system-ui, sans-serif; fill: {Colour.TEXT}; }}
.on {{ fill: #fff; }} .strong {{ font-weight: 600; }} .small {{ font-size: 12px; }}
.line {{ fill: none; stroke: {Colour.TEXT}; stroke-width: 1.5; }}
.dashed {{ stroke-dasharray: 4 4; }} .tip {{ fill: {Colour.TEXT}; }}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"
 markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0,0L8,4L0,8Z"/></marker></defs>"""


class Drawing:
    """One picture; coordinates from the upper left.

    Args:
        title: what it shows, for who cannot see it and as a tooltip.
        height: of the whole, as `WIDTH` is its width.
    """

    def __init__(self, title: str, height: float) -> None:
        self._head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:g}"'
            f' viewBox="0 0 {WIDTH} {height:g}" role="img">\n<title>{escape(title)}</title>'
        )
        self._parts: list[str] = []

    def svg(self) -> str:
        """The document."""
        return "\n".join([self._head, STYLE, *self._parts, "</svg>", ""])

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled one, for white text."""
        self._rectangle(x, y, width, height, f'fill="{colour}"')

    def frame(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """An empty one, with a faint tint of its colour."""
        look = f'fill="{colour}" fill-opacity=".14" stroke="{colour}" stroke-width="1.5"'
        self._rectangle(x, y, width, height, look)

    def text(self, x: float, y: float, words: str, look: str = "", anchor: str = "start") -> None:
        """One line from its base.

        Args:
            look: of `on` (a filled box), `strong` and `small`.
            anchor: `start`, `middle` or `end`.
        """
        kind = f' class="{look}"' if look else ""
        at = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._parts.append(f'<text x="{x:.5g}" y="{y:.5g}"{kind}{at}>{escape(words)}</text>')

    def line(self, path: str, *, dashed: bool = False) -> None:
        """Along an SVG path."""
        self._parts.append(f'<path class="line{" dashed" * dashed}" d="{path}"/>')

    def arrow(self, path: str) -> None:
        """The same, with a tip at its end."""
        self._parts.append(f'<path class="line" d="{path}" marker-end="url(#tip)"/>')

    def _rectangle(self, x: float, y: float, width: float, height: float, look: str) -> None:
        size = f'x="{x:.5g}" y="{y:.5g}" width="{width:.5g}" height="{height:.5g}" rx="{ROUND}"'
        self._parts.append(f"<rect {size} {look}/>")
