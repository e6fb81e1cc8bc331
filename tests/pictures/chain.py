"""The middleware chain: each layer, what it does, and the answers that it may give itself."""

from .code import chain
from .drawing import WIDTH, Colour, Drawing

# What each does, and the statuses of the answers that it gives by itself.
LAYERS = {
    "RequestContext": ("request id, trace, log sampling: decided once", ""),
    "AccessLog": ("one record and the metrics of every outcome", ""),
    "Recovery": ("an exception that nobody handled becomes a problem", "500, 503"),
    "RateLimit": ("one client's flood, before it counts as load", "429"),
    "LoadShedding": ("more than the process can do, before work begins", "503"),
    "DeadlineGuard": ("sets the deadline, ends what outlives it", "504"),
    "FaultInjection": ("delays and aborts on purpose, off by default", "any"),
}
LEFT, WAY, STEP, ROW = 66, 30, 50, 40


def draw() -> Drawing:
    """From the code's own list; a layer that this file does not know is a KeyError."""
    names = chain()
    inner = 38 + STEP * len(names)
    picture = Drawing("The middleware chain, outermost layer first", inner + 112)
    right = WIDTH - LEFT
    picture.text(LEFT, 22, "request", "strong", "middle")
    picture.text(right, 22, "response", "strong", "middle")
    picture.arrow(f"M{LEFT},30V{inner + 18}")
    picture.arrow(f"M{right},{inner + 18}V30")
    for number, name in enumerate(names):
        does, statuses = LAYERS[name]
        y = 44 + STEP * number
        picture.box(LEFT + WAY, y, right - LEFT - 2 * WAY, ROW, Colour.BLUE)
        picture.text(LEFT + WAY + 14, y + 25, f"{number + 1}", "on")
        picture.text(LEFT + WAY + 34, y + 25, name, "on strong")
        picture.text(LEFT + WAY + 162, y + 25, does, "on small")
        if statuses:
            picture.arrow(f"M{right - WAY},{y + ROW / 2}H{right - 3}")
            picture.text(right + 6, y + ROW / 2 + 4, statuses, "small")
    picture.box(LEFT - 34, inner + 22, right - LEFT + 68, ROW, Colour.GREEN)
    router = "FastAPI and the contract's router: body limit, routing, validation"
    picture.text(WIDTH / 2, inner + 47, router, "on", "middle")
    picture.box(LEFT + WAY, inner + 68, right - LEFT - 2 * WAY, ROW, Colour.GREEN)
    picture.text(WIDTH / 2, inner + 93, "your class in api/", "on strong", "middle")
    return picture
