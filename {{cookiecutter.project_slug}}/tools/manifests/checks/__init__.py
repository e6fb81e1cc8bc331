"""Every check is a module here with a function `check`; what an option has no use for is gone."""

import importlib
import pkgutil
from collections.abc import Mapping

from ..model import Check

CHECKS: Mapping[str, Check] = {
    found.name: importlib.import_module(f"{__name__}.{found.name}").check
    for found in pkgutil.iter_modules(__path__)
}
