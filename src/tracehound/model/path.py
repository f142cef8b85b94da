"""Paths into plain values: what stands at the end of a row of names, and the texts that a value holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tracehound.model.record import to_json_text

_MAX_DIGITS: Final = 9  # of the place in a list


def reach(value: Any, path: Sequence[str]) -> list[Any]:
    """Return what stands at the end of a path: nothing, or several values where lists lie on the way or at its end.

    A name leads to the value of a key; names that stand behind each other may be one key, with dots. A number leads to
    an element of a list; any other name into each of its elements. None is nothing.

    >>> reach({"messages": [{"role": "user"}, {"role": "tool"}]}, ("messages", "role"))
    ['user', 'tool']
    >>> reach({"messages": [{"role": "user"}]}, ("messages", "0", "role")), reach({"a.b": [1, []]}, ("a", "b"))
    (['user'], [1, []])
    """
    found: list[Any] = []
    waiting = [(value, 0)]
    while waiting:
        each, at = waiting.pop()
        if isinstance(each, list):
            if at < len(path) and path[at].isascii() and path[at].isdigit() and len(path[at]) <= _MAX_DIGITS:
                waiting += [(item, at + 1) for item in each[int(path[at]) :][:1]]
            elif at == len(path) and not each:
                found.append(each)
            else:
                waiting += [(item, at) for item in reversed(each)]
        elif at == len(path):
            if each is not None:
                found.append(each)
        elif isinstance(each, dict):
            keys = ((".".join(path[at:end]), end) for end in range(at + 1, len(path) + 1))
            waiting += [(each[key], end) for key, end in keys if key in each]
    return found


def texts_in(value: Any) -> list[str]:
    """Return the texts that a value holds, and its numbers as JSON; the keys are none of them.

    >>> texts_in({"city": "Paris", "days": [3, None, "Monday"]})
    ['Paris', '3', 'Monday']
    """
    found: list[str] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, dict):
            waiting += reversed(each.values())
        elif isinstance(each, list):
            waiting += reversed(each)
        elif each is not None:
            found.append(to_json_text(each))
    return found
