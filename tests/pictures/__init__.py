"""The pictures of docs/explanation, drawn from the numbers and names of the code.

`make pictures` draws them anew; a test compares.
"""

from collections.abc import Callable, Mapping

from . import (
    breaker_states,
    chain,
    configuration,
    deadline_budget,
    drain_timeline,
    overload,
    sampling,
)
from .drawing import Drawing

PICTURES: Mapping[str, Callable[[], Drawing]] = {
    "breaker-states": breaker_states.draw,
    "chain": chain.draw,
    "configuration": configuration.draw,
    "deadline-budget": deadline_budget.draw,
    "drain-timeline": drain_timeline.draw,
    "overload": overload.draw,
    "sampling": sampling.draw,
}
