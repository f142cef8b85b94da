"""Objects of other people's JSON, read key by key, and what is wrong with them said in the words of the reader.

Everything must be there, of the right type, and known: a key that is passed over would be missing when the same object
is written again, and nobody would notice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, Final, TypeVar

from tracehound.errors import ArgumentError
from tracehound.model.record import read_json_text

T = TypeVar("T")
AnyForm = TypeVar("AnyForm", bound="Form")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_MISSING: Final = object()
_MOST_SHOWN: Final = 60


class Form:
    """One object of a JSON document, and where it stands in it; each `take…` removes a key, `end` allows no others."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(place, "an object", value)
        self._left: dict[str, Any] = dict(value)
        self._place = place

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def has(self, key: str) -> bool:
        """Whether a key says something; null and an empty text, which do not, are taken away."""
        found = self._left.get(key)
        if found is not None and found != "":
            return True
        self._left.pop(key, None)
        return False

    def place(self, key: str) -> str:
        """Return how a key is called in messages: with all that it stands in."""
        return f"{self._place}.{key}" if self._place else key

    def take(self, key: str, default: Any = _MISSING) -> Any:
        """Return any value; without a default it must be there."""
        found = self._left.pop(key, default)
        if found is _MISSING:
            known = ", ".join(map(repr, self._left)) or "nothing"
            raise ArgumentError(f"{self.place(key)} is missing; there is {known}")
        return found

    def text(self, key: str, default: Any = _MISSING) -> str:
        """Return a text."""
        found = self.take(key, default)
        if not isinstance(found, str):
            raise self.wrong(key, "a text", found)
        return found

    def text_or_none(self, key: str) -> str | None:
        """Return a text; None where it is null or not there."""
        found = self.take(key, None)
        if found is not None and not isinstance(found, str):
            raise self.wrong(key, "a text or null", found)
        return found

    def integer(self, key: str) -> int:
        """Return a whole number, which may be written as a text: protobuf writes those of 64 bits so."""
        found = self.take(key)
        if isinstance(found, str) and re.fullmatch(r"-?\d{1,19}", found):
            return int(found)
        if not isinstance(found, int) or isinstance(found, bool):
            raise self.wrong(key, "a whole number", found)
        return found

    def integer_or_none(self, key: str) -> int | None:
        """Return a whole number; None where it is null or not there."""
        return self.integer(key) if self.has(key) else None

    def boolean_or_none(self, key: str) -> bool | None:
        """Return true or false; None where it is null or not there."""
        found = self.take(key, None)
        if found is not None and not isinstance(found, bool):
            raise self.wrong(key, "true, false or null", found)
        return found

    def texts(self, key: str) -> dict[str, str]:
        """Return texts by their names; none where nothing is there."""
        found = self.values(key)
        for name, value in found.items():
            if not isinstance(value, str):
                raise _wrong(f"{self.place(key)}.{name}", "a text", value)
        return found

    def values(self, key: str) -> dict[str, Any]:
        """Return any values by their names; none where nothing is there."""
        found = self.take(key, None)
        return {} if found is None else Form(found, self.place(key))._left

    def form(self: AnyForm, key: str) -> AnyForm:
        """Return an object."""
        return type(self)(self.take(key), self.place(key))

    def forms(self: AnyForm, key: str) -> list[AnyForm]:
        """Return a list of objects; an empty one where nothing is there."""
        found = self.take(key, None)
        if found is None:
            return []
        if not isinstance(found, list):
            raise self.wrong(key, "a list", found)
        return [type(self)(each, f"{self.place(key)}[{number}]") for number, each in enumerate(found)]

    def one_of(self, key: str, known: dict[str, T]) -> T:
        """Return what a word stands for."""
        word = self.text(key)
        if word not in known:
            raise self.wrong(key, f"one of {', '.join(known)}", word)
        return known[word]

    def parsed(self, key: str, parse: Callable[[str], T], kind: str) -> T:
        """Return what a text says to a function that raises `ValueError` where it says nothing."""
        text = self.text(key)
        try:
            return parse(text)
        except (ValueError, OverflowError) as error:
            raise self.wrong(key, kind, text) from error

    def time_ms(self, key: str) -> int:
        """Return a time, as `write_time` writes it, in milliseconds since the epoch."""
        return self.parsed(key, _read_time, "a time such as 2026-11-21T01:39:54.213Z")

    def wrong(self, key: str, wanted: str, found: object) -> ArgumentError:
        """Return the error that a key does not hold what it should."""
        return _wrong(self.place(key), wanted, found)

    def end(self) -> None:
        """Raise if there is a key that nobody has taken."""
        if self._left:
            keys = ", ".join(self.place(key) for key in self._left)
            raise ArgumentError(f"{keys}: not known; a newer MLflow may have written it")


def read_document(text: str | bytes) -> Any:
    """Return what a JSON document holds; raise `ArgumentError` where it is not one."""
    if not isinstance(text, (str, bytes)):
        raise _wrong("", "a JSON text", text)
    try:
        return read_json_text(text)
    except RecursionError as error:
        raise ArgumentError("the JSON is nested too deep to be read") from error
    except ValueError as error:
        shown = repr(text) if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]!r}…"
        raise ArgumentError(f"not a JSON text: {shown} ({error})") from error


def write_time(time_ms: int) -> str:
    """Return a time as protobuf's JSON has it: `2026-11-21T01:39:54.213Z`, without the fraction where it is zero."""
    moment = (_EPOCH + timedelta(milliseconds=time_ms)).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds' if time_ms % 1000 else 'seconds')}Z"


def _read_time(text: str) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    moment, fraction, offset = found.groups()
    second = datetime.fromisoformat(moment + offset.replace("Z", "+00:00")) - _EPOCH
    return second // timedelta(milliseconds=1) + int((fraction or "0").ljust(9, "0")) // 1_000_000


def _wrong(place: str, wanted: str, found: object) -> ArgumentError:
    shown = "null" if found is None else repr(found)
    if len(shown) > _MOST_SHOWN:
        shown = f"{shown[:_MOST_SHOWN]}…"
    return ArgumentError(f"{place or 'what is to be read'} is to be {wanted}, not {shown}")
