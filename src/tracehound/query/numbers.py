"""Numbers in text: which texts compare with a number, and as what; and numbers in JSON objects."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Final

from tracehound.model.record import DecodeError, from_json

_WHOLE: Final = 2**53  # every store has smaller ones as they are: some keep doubles
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def number_in(text: str | None) -> float | None:
    """Return the double that the whole text writes; None where it writes none, and for no text.

    >>> number_in("4.5"), number_in("5 apples"), number_in("")
    (4.5, None, None)
    """
    if text is None:
        return None
    is_plain = text.isdigit() and text.isascii()  # most are; an expression takes ten times as long
    return float(text) if is_plain or _NUMBER.fullmatch(text) is not None else None


def number_at(metadata: Mapping[str, str], key: str, name: str) -> int | float | None:
    """Return the number that a JSON object in the metadata has under a name; None where there is none.

    >>> number_at({"mlflow.trace.tokenUsage": '{"input_tokens": 7}'}, "mlflow.trace.tokenUsage", "input_tokens")
    7
    """
    text = metadata.get(key)
    found = None if text is None else _object(text).get(name)
    if type(found) is int and abs(found) >= _WHOLE:
        return float(found)
    return found if type(found) in (int, float) else None


# One object has several numbers, which are wanted for the row of a trace and again for its hour.
@functools.lru_cache(maxsize=512)
def _object(text: str) -> Mapping[str, Any]:
    """Return the JSON object that a text writes, an empty one for any other text: somebody else wrote it there."""
    try:
        value: Any = from_json(text)
    except (DecodeError, UnicodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
