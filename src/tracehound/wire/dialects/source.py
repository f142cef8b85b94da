"""The attributes of a span as the dialects read them: by name, decoded when somebody asks, whatever they hold.

Whoever sends spans may send anything: a number where a text belongs, JSON that is cut off, keys with an index of a
hundred digits. What is not of the kind that was asked for counts as not there, and nothing here raises.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tracehound.model.occurrence import RecordedEvent
from tracehound.model.values import decode_value, to_text

_OF_FRAMEWORKS: Final = ("langgraph_", "ls_", "lc_", "checkpoint_ns")
_OPENS_JSON: Final = ("{", "[")


class Source:
    """Attributes as JSON texts by key, and of a whole span its events and when it began."""

    __slots__ = ("events", "start_ns", "texts")

    def __init__(self, texts: Mapping[str, str], events: Sequence[RecordedEvent] = (), start_ns: int = 0) -> None:
        self.texts = texts
        self.events = events
        self.start_ns = start_ns

    def value(self, *keys: str) -> Any:
        """Return what the first of the keys holds that is there; a text that is the JSON of an object is that object.

        >>> Source({"a": '"{\\\\"b\\\\":1}"'}).value("missing", "a")
        {'b': 1}
        """
        for key in keys:
            text = self.texts.get(key)
            if text is not None and (found := unwrap(decode_value(text))) is not None:
                return found
        return None

    def value_as_is(self, key: str) -> Any:
        """Return what a key holds, and a text as it is, whatever is in it."""
        text = self.texts.get(key)
        return None if text is None else decode_value(text)

    def json(self, *keys: str) -> Any:
        """Return what the first of the keys holds whose texts are JSON always, strings and numbers too.

        >>> Source({"a": '"\\\\"so\\\\""'}).json("a")
        'so'
        """
        found = next((self.texts[key] for key in keys if key in self.texts), None)
        plain = None if found is None else decode_value(found)
        return decode_value(plain) if isinstance(plain, str) else plain

    def text(self, *keys: str) -> str | None:
        """Return the first of the keys that holds a text which is not empty."""
        for key in keys:
            text = self.texts.get(key)
            if text is not None and isinstance(found := decode_value(text), str) and found:
                return found
        return None

    def count(self, *keys: str) -> int | None:
        """Return the first of the keys that holds a whole number from 0 up."""
        for key in keys:
            text = self.texts.get(key)
            if text is not None and (found := to_count(decode_value(text))) is not None:
                return found
        return None

    def number(self, *keys: str) -> float | None:
        """Return the first of the keys that holds a number."""
        for key in keys:
            text = self.texts.get(key)
            if text is not None and (found := to_number(decode_value(text))) is not None:
                return found
        return None

    def seconds_to(self, *events: str) -> float | None:
        """Return how long after the start of the span the first event of one of these names was."""
        times = (event.timestamp_ns - self.start_ns for event in self.events if event.name in events)
        return next((time_ns / 1e9 for time_ns in times if time_ns >= 0), None)

    def below(self, prefix: str) -> dict[str, str]:
        """Return the texts whose keys begin with `prefix.`, by what follows.

        >>> Source({"a.b": "1", "a.c.d": "2", "e": "3"}).below("a")
        {'b': '1', 'c.d': '2'}
        """
        return _below(self.texts, prefix)

    def items(self, prefix: str) -> list[Source]:
        """Return the elements of a list that was flattened to `prefix.0.name`, `prefix.1.name`, …, in their order.

        >>> told = Source({"m.10.role": '"b"', "m.2.role": '"a"', "m.x.role": '"c"'})
        >>> [each.text("role") for each in told.items("m")]
        ['a', 'b']
        """
        found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for rest, text in _below(self.texts, prefix).items():
            index, dot, name = rest.partition(".")
            if dot and index.isascii() and index.isdigit():
                found[index][name] = text
        # By the digits: an index may be too long to be read as a number.
        return [Source(found[index]) for index in sorted(found, key=lambda index: (len(index), index))]


def _below(texts: Mapping[str, str], prefix: str) -> dict[str, str]:
    start = f"{prefix}."
    return {key[len(start) :]: text for key, text in texts.items() if key.startswith(start)}


def unwrap(value: Any) -> Any:
    """Return what a text holds that is the JSON of an object or a list; any other value as it is.

    >>> unwrap('[1]'), unwrap('[1'), unwrap("1")
    ([1], '[1', '1')
    """
    if isinstance(value, str) and value.lstrip().startswith(_OPENS_JSON):
        return decode_value(value)
    return value


def to_told_text(value: Any) -> str | None:
    """Return a text that is not empty, or None for anything else."""
    return value if isinstance(value, str) and value else None


def to_count(value: Any) -> int | None:
    """Return a whole number from 0 up, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float):
        if not value.is_integer():  # NaN and infinities are not, either
            return None
        value = int(value)
    return value if 0 <= value < 2**63 else None


def to_number(value: Any) -> float | None:
    """Return a finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an int beyond what a float can be
        return None


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list, or the one object that the value is; texts that are JSON of objects count."""
    listed = value if isinstance(value, list) else [value]
    return [each for each in map(unwrap, listed) if isinstance(each, dict)]


def texts_in(value: Any) -> list[str]:
    """Return the texts in a list, or the one text that the value is."""
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, str) and each]


def said_by_users(metadata: Mapping[str, Any]) -> dict[str, str] | None:
    """Return metadata without what LangChain and LangGraph put among it, which is about a step and not the trace.

    >>> said_by_users({"team": "search", "langgraph_step": 3, "ls_provider": "openai"})
    {'team': 'search'}
    """
    return texts_of((key, value) for key, value in metadata.items() if not key.startswith(_OF_FRAMEWORKS)) or None


def texts_of(values: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Return values as the texts of tags and metadata; those that are None are left out."""
    return {key: to_text(value) for key, value in values if value is not None}
