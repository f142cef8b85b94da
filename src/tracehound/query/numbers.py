"""Numbers in text: which texts compare with a number, and as what."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def number_in(text: str | None) -> float | None:
    """Return the double that the whole text writes; None where it writes none, and for no text.

    >>> number_in("4.5"), number_in("5 apples"), number_in("")
    (4.5, None, None)
    """
    if text is None or _NUMBER.fullmatch(text) is None:
        return None
    return float(text)
