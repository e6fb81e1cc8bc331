"""Amounts as Kubernetes writes them."""

import re
from decimal import Decimal

UNITS = {
    "": Decimal(1),
    **{unit: Decimal(1000) ** -power for power, unit in enumerate("mun", 1)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}


def quantity(text: object) -> Decimal:
    """`250m` is 0.25, `256Mi` is 268435456. Raises ValueError where it is none."""
    found = re.fullmatch(r"([+-]?[\d.]+(?:[eE][+-]?\d+)?)([numkMGTPE]?i?)", str(text))
    if not found or found[2] not in UNITS:
        raise ValueError(f"not a quantity: {text}")
    return Decimal(found[1]) * UNITS[found[2]]
