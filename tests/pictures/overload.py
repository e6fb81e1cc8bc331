"""The adaptive limit: two questions, what they do to it, and what a limit means."""

from .code import SETTINGS, constant, default
from .drawing import WIDTH, Colour, Drawing

LIMIT = "runtime/concurrency_limit.py"
EDGE, WIDE, HIGH = 20, 300, 98
RIGHT = WIDTH - EDGE - WIDE
TOP, ANSWERS, BAR = 40, 190, 300
FALLS = 252  # the width of the box of that name
EXAMPLE, UNIT = 100, 4.8  # a limit, and pixels for one request


def draw() -> Drawing:
    """With the constants of the limit and the defaults of its bounds."""
    often, stretch = 1 / constant(LIMIT, "WINDOW"), constant(LIMIT, "STRETCH")
    lag = 1000 * default(SETTINGS, "Shedding", "target_lag")
    picture = Drawing("How the limit of requests in flight adapts", 388)
    picture.text(EDGE, 24, f"Asked {often:g} times a second", "strong")
    saturated = (
        f"more than {100 * constant(LIMIT, 'SATURATED'):g} % of a core,",
        f"or an event loop late by more than {lag:g} ms,",
        "or work that waits for the database pool",
    )
    _question(picture, EDGE, "Is the process saturated?", *saturated)
    queues = (
        f"requests take more than {stretch:g} times",
        "what they take in a calm process,",
        "or the event loop is late",
    )
    _question(picture, RIGHT, "Does work queue inside?", *queues)
    picture.arrow(f"M{EDGE + WIDE},{TOP + HIGH / 2}H{RIGHT - 4}")
    picture.text(WIDTH / 2, TOP + HIGH / 2 - 8, "yes", "small", "middle")
    falls = WIDTH - EDGE - FALLS
    for x, answer in ((EDGE + WIDE / 2, "no"), (falls - 34, "no"), (falls + FALLS / 2, "yes")):
        picture.arrow(f"M{x:g},{TOP + HIGH}V{ANSWERS - 4}")
        picture.text(x + 8, (TOP + HIGH + ANSWERS) / 2 + 2, answer, "small")
    _answer(picture, EDGE, falls - EDGE - 20, "the limit grows while load presses", Colour.GREEN)
    _answer(picture, falls, FALLS, "the limit falls, at most by half", Colour.RED)
    _meaning(picture)
    return picture


def _question(picture: Drawing, x: float, name: str, *signs: str) -> None:
    picture.box(x, TOP, WIDE, HIGH, Colour.BLUE)
    picture.text(x + 16, TOP + 25, name, "on strong")
    for line, sign in enumerate(signs):
        picture.text(x + 16, TOP + 47 + 17 * line, sign, "on small")


def _answer(picture: Drawing, x: float, width: float, words: str, colour: Colour) -> None:
    picture.box(x, ANSWERS, width, 40, colour)
    picture.text(x + width / 2, ANSWERS + 25, words, "on strong", "middle")


def _meaning(picture: Drawing) -> None:
    ordinary = EXAMPLE * (1 - constant(LIMIT, "RESERVED"))
    picture.text(EDGE, BAR - 16, f"In flight, where the limit is {EXAMPLE}", "strong")
    parts = (
        (0, ordinary, f"up to {ordinary:g}: every request", Colour.GREEN),
        (ordinary, EXAMPLE, "critical ones", Colour.BLUE),
        (EXAMPLE, (WIDTH - 2 * EDGE) / UNIT, "none: 503, Retry-After", Colour.RED),
    )
    for begin, end, words, colour in parts:
        x, width = EDGE + UNIT * begin, UNIT * (end - begin) - 3
        picture.box(x, BAR, width, 34, colour)
        picture.text(x + width / 2, BAR + 22, words, "on small", "middle")
    least, most = (default(SETTINGS, "Shedding", f"{end}_in_flight") for end in ("min", "max"))
    start = constant(LIMIT, "BURST")
    bounds = f"The limit is never below {least}, {start} at the start, and never above {most}."
    picture.text(EDGE, BAR + 62, bounds)
