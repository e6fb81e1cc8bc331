"""One request's budget: what each piece of its work may take, and what it took."""

from .code import OPTIONS, SETTINGS, constant, default
from .drawing import WIDTH, Colour, Drawing

LEFT, RIGHT, TOP, STEP, BAR = 142, 20, 44, 42, 26
# An example, in seconds: what the caller allows, and how long the work really takes.
CALLER = 2.5
FIRST, SECOND, FAILED, ANSWERED, PAUSE = 0.3, 0.2, 0.4, 0.45, 0.05
BEGIN = 0.1


def draw() -> Drawing:
    """A transaction, a call with one retry, a transaction; each in its share of the rest."""
    limit = default(SETTINGS, "Http", "request_timeout")
    share = default(SETTINGS, "Database", "deadline_share")
    outbound = default(OPTIONS, "Dependency", "deadline_share")
    total = default(OPTIONS, "Dependency", "timeout")
    attempt = default(OPTIONS, "Dependency", "attempt_timeout")
    whole = constant("runtime/outbound/pipeline.py", "WHOLE")
    statement = constant("runtime/database/postgres.py", "STATEMENT_SHARE")

    deadline = min(limit, CALLER)
    chart = _Chart(limit, deadline)
    done = BEGIN + FIRST + FAILED + PAUSE + ANSWERED + SECOND
    said = f"the caller's {CALLER:g} s, below the server's {limit:g} s"
    chart.row("request", 0, deadline, done, said)
    at = BEGIN
    granted = share * (deadline - at)
    said = f"{100 * share:g} % of {deadline - at:.2g} s = {granted:.2f} s"
    chart.row("transaction", at, granted, FIRST, said)
    at += FIRST
    granted = min(outbound * (deadline - at), total)
    said = f"{100 * outbound:g} % of {deadline - at:.2g} s = {granted:.2f} s, at most {total:g} s"
    chart.row("call of payments", at, granted, FAILED + PAUSE + ANSWERED, said)
    end = at + granted
    for number, took in ((1, FAILED), (2, ANSWERED)):
        granted = min(attempt, whole * (end - at))
        told = f"header X-Request-Timeout-Ms: {int(granted * 1000)}"
        chart.row(f"attempt {number}", at, granted, took, told)
        at += took + PAUSE
    at -= PAUSE
    granted = share * (deadline - at)
    said = f"{100 * share:g} % of {deadline - at:.2g} s; a statement {statement * granted:.2f} s"
    chart.row("transaction", at, granted, SECOND, said)
    return chart.finished()


class _Chart:
    """Bars over seconds."""

    def __init__(self, seconds: float, deadline: float) -> None:
        self.picture = Drawing("How a request's deadline is shared out", TOP + 6 * STEP + 66)
        self._seconds, self._deadline = seconds, deadline
        self._rows = 0

    def row(self, name: str, begin: float, granted: float, took: float, words: str) -> None:
        """What was granted as a frame, what it took as a box in it."""
        y = TOP + STEP * self._rows
        self._rows += 1
        x, end = self._x(begin), self._x(begin + granted)
        self.picture.text(LEFT - 12, y + 18, name, "strong", "end")
        self.picture.frame(x, y, end - x, BAR, Colour.BLUE)
        self.picture.box(x, y, self._x(begin + took) - x, BAR, Colour.BLUE)
        self.picture.text(self._x(self._deadline) + 10, y + 18, words, "small")

    def finished(self) -> Drawing:
        """With the seconds, and the instant at which all of it ends."""
        picture, bottom = self.picture, TOP + STEP * self._rows
        picture.line(f"M{self._x(0):.5g},{bottom}H{self._x(self._seconds):.5g}")
        for second in range(int(self._seconds) + 1):
            picture.text(self._x(second), bottom + 18, f"{second} s", "small", "middle")
        x = self._x(self._deadline)
        picture.line(f"M{x:.5g},{TOP - 14}V{bottom}", dashed=True)
        picture.text(x, TOP - 22, "deadline: 504", "strong", "middle")
        y = bottom + 34
        picture.box(LEFT, y, 26, 14, Colour.BLUE)
        picture.text(LEFT + 34, y + 12, "time that it took", "small")
        picture.frame(LEFT + 160, y, 26, 14, Colour.BLUE)
        picture.text(LEFT + 194, y + 12, "time that it could have taken", "small")
        return picture

    def _x(self, second: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * second / self._seconds
