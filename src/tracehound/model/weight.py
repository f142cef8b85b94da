"""How many traces a stored one stands for, where others like it were dropped when they ended (`screening.choice`).

The weight is the inverse of the chance that a trace had to be kept, so that sums over stored traces, each as often as
it stands for, estimate those over all. It is metadata of the trace; most have none, and stand for themselves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from tracehound.model.trace import TracePart

WEIGHT: Final = "tracehound.samplingWeight"
_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")


def read_weight(text: str | None) -> float:
    """Return the weight that a text says; 1 for what says none.

    >>> read_weight("10"), read_weight("2.5"), read_weight(None), read_weight("0"), read_weight("many")
    (10.0, 2.5, 1.0, 1.0, 1.0)
    """
    if text is None or _NUMBER.fullmatch(text) is None:
        return 1.0
    return float(text) or 1.0


def write_weight(weight: float) -> str:
    """Return a weight as a text; `read_weight` is the inverse.

    >>> write_weight(10.0), write_weight(1 / 0.3)
    ('10', '3.3333333333333335')
    """
    return str(int(weight)) if weight.is_integer() else f"{weight:.17g}"


def merge_weights(metadata: dict[str, str], parts: Sequence[TracePart]) -> None:
    """Give the metadata of a trace the weight that follows from those of its parts.

    A trace stands for no more than the one of them that was most certain to be kept. Snapshots say nothing: what became
    of them was not decided yet.
    """
    decided = [part for part in parts if part.owner is None] or parts
    least = min(read_weight(part.metadata.get(WEIGHT)) for part in decided)
    if least == 1.0 or math.isinf(least):
        metadata.pop(WEIGHT, None)
    else:
        metadata[WEIGHT] = write_weight(least)
