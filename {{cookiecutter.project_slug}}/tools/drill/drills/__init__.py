"""The drills: every module here that has a `DRILL`."""

import importlib
import pkgutil
from collections.abc import Sequence

from ..stage import Drill


def every_drill() -> Sequence[Drill]:
    """By name; those with the longest limit, the soak, come last."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    ]
    drills = [module.DRILL for module in modules if hasattr(module, "DRILL")]
    return sorted(drills, key=lambda drill: (drill.limit, drill.name))
