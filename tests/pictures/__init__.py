"""The pictures of docs/explanation, drawn from the numbers and names of the code.

`make pictures` draws them anew; a test compares.
"""

from collections.abc import Callable, Mapping

from . import breaker_states, chain, deadline_budget, drain_timeline, sampling
from .drawing import Drawing

PICTURES: Mapping[str, Callable[[], Drawing]] = {
    "breaker-states": breaker_states.draw,
    "chain": chain.draw,
    "deadline-budget": deadline_budget.draw,
    "drain-timeline": drain_timeline.draw,
    "sampling": sampling.draw,
}
