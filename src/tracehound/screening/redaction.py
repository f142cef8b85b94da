"""Texts without their secrets: what stands for each of them is in its place, and all else is as it was.

A JSON text stays one. It is not decoded: secrets are looked for in what it says (`Reading`), and the pieces of the text
that say them are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tracehound.model.limits import MAX_TAG_CHARACTERS
from tracehound.screening.detectors import MIN_LENGTH, Found, find_secrets
from tracehound.screening.escapes import Reading
from tracehound.screening.keys import is_name_of_secret
from tracehound.screening.pseudonyms import Pseudonyms

_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NUMBER: Final = frozenset("0123456789+-.eE")
_MAX_IN_A_ROW: Final = 8  # secrets without anything between them

# Where capture has cut a value, which may be in the midst of a secret: its last word is left out, unless that has
# been done already. Read backwards.
_CUT: Final = "… [cut: "
_LAST_WORD_REVERSED: Final = re.compile(r'[0-9 -]{0,40}[^\s"\]…]{0,512}')


class Redactor:
    """Takes secrets of some kinds out of texts."""

    def __init__(self, kinds: Iterable[str], names: Pseudonyms) -> None:
        self._kinds = tuple(kinds)
        self._names = names

    def text(self, text: str, name: str = "") -> str:
        """Return a text without its secrets; a name that says what it is may tell that it is one.

        >>> from tracehound.screening.pseudonyms import key_of_text
        >>> redactor = Redactor(["email"], Pseudonyms(lambda: key_of_text("a key of my own")))
        >>> redactor.text("write to tom@example.org")
        'write to [EMAIL_jcegegaljefdieni]'
        """
        return self._replaced(text, name, is_json=text[:1] in ("{", "["))

    def json(self, text: str, name: str = "") -> str:
        """Return a JSON text without its secrets, as JSON; as `text` does."""
        return self._replaced(text, name, is_json=True)

    def _replaced(self, raw: str, name: str, *, is_json: bool) -> str:
        """Return the text with what stands for its secrets.

        Where one ends and more follows without a gap, that may be the beginning of another one, which is only known for
        one when the first is gone.
        """
        if len(raw) < MIN_LENGTH:
            return raw
        for _ in range(_MAX_IN_A_ROW):
            before, raw, is_followed = raw, *self._replaced_once(raw, name, is_json=is_json)
            if not is_followed or raw == before:
                break
        return raw

    def _replaced_once(self, raw: str, name: str, *, is_json: bool) -> tuple[str, bool]:
        """Return the text with what stands for the secrets found in it, and whether letters follow one."""
        before = f"{name}=" if name and is_name_of_secret(name) else ""
        reading = Reading(raw)
        found = find_secrets(before + reading.text, self._kinds)
        if before:
            shift = len(before)
            found = [each._replace(start=each.start - shift, end=each.end - shift) for each in found]
        if _CUT in reading.text or (len(raw) >= MAX_TAG_CHARACTERS and raw.endswith("…")):
            found = _with_cut_words(reading.text, found)
        if not found:
            return raw, False
        places = _Places(raw) if is_json else None
        pieces: list[str] = []
        end = 0
        for each in found:
            if each.start < 0:  # in the name, which has a text of its own
                continue
            start, behind = reading.origin(each.start), reading.origin(each.end)
            token = self._names.of(each.kind, each.value) if each.kind else "…"
            if places is not None and each.kind == "credit_card" and not places.is_in_string(start):
                start, behind = _whole_number(raw, start, behind)
                token = f'"{token}"'
            pieces += (raw[end:start], token)
            end = behind
        is_followed = any(reading.text[each.end : each.end + 1].isalnum() for each in found)
        return "".join((*pieces, raw[end:])), is_followed


class _Places:
    """Which places of a JSON text are in strings; asked for one after the other, it goes through the text once."""

    def __init__(self, raw: str) -> None:
        self._strings = _STRING.finditer(raw)
        self._start = self._end = 0

    def is_in_string(self, position: int) -> bool:
        while self._end <= position:
            found = next(self._strings, None)
            if found is None:
                return False
            self._start, self._end = found.span()
        return self._start < position


def _whole_number(raw: str, start: int, end: int) -> tuple[int, int]:
    """Return where the number of JSON begins and ends that some digits are of."""
    while start > 0 and raw[start - 1] in _NUMBER:
        start -= 1
    while end < len(raw) and raw[end] in _NUMBER:
        end += 1
    return start, end


def _with_cut_words(text: str, found: list[Found]) -> list[Found]:
    """Return what was found and the words that were cut, in their order."""
    ends = [each.start() for each in re.finditer(re.escape(_CUT), text)] or [len(text) - 1]
    words = []
    for end in ends:
        word = _LAST_WORD_REVERSED.match(text[max(0, end - 600) : end][::-1])
        start = end if word is None else end - word.end()
        if start < end:
            words.append(Found(start, end, "", ""))
    chosen: list[Found] = []
    for each in sorted([*found, *words]):
        if chosen and each.start < chosen[-1].end:
            chosen[-1] = chosen[-1]._replace(end=max(each.end, chosen[-1].end))
        else:
            chosen.append(each)
    return chosen
