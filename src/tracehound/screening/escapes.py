"""A text as it is read, though escapes of JSON stand in it: in `tom\\u0040example.org` there is an e-mail address.

Escapes of every depth are read alike: a JSON text that is a string of another one has `\\\\u0040` there. Each position
in what is read leads back to one in the text, between two escapes and never inside of one, so that a piece of the text
can be replaced and it stays what it was, JSON or not.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

# A backslash, or several where texts are inside of texts, with what they make of the character behind them.
_ESCAPE: Final = re.compile(r'\\+(?:u([0-9a-fA-F]{4})|(["/bfnrt]))?')
# The most common ones by far can be read as two characters, which takes no time.
_SPACES: Final = {"\\n": "\n\n", "\\r": "\r\r", "\\t": "\t\t"}
_MEANT: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Reading:
    """What a text says; `text` is what is read of it.

    >>> reading = Reading('"tom\\\\u0040x.org"')
    >>> reading.text, reading.origin(4), reading.origin(5)
    ('"tom@x.org"', 4, 10)
    """

    def __init__(self, raw: str) -> None:
        self.text = raw
        # Behind each escape: where that is in what is read, and where in the text.
        self._read: list[int] = []
        self._raw: list[int] = []
        if "\\" not in raw:
            return
        plain = raw
        for escape, spaces in _SPACES.items():
            plain = plain.replace(escape, spaces)
        self.text = plain if "\\" not in plain else self._without_escapes(raw)

    def origin(self, position: int) -> int:
        """Return where in the text the character begins that is read at a position."""
        at = bisect_right(self._read, position) - 1
        return position if at < 0 else self._raw[at] + position - self._read[at]

    def _without_escapes(self, raw: str) -> str:
        pieces: list[str] = []
        end = length = 0
        for found in _ESCAPE.finditer(raw):
            begin = found.start()
            digits, letter = found.groups()
            char = chr(int(digits, 16)) if digits else _MEANT.get(letter, letter) if letter else "\\"
            pieces += (raw[end:begin], char)
            length += begin - end + 1
            end = found.end()
            self._read.append(length)
            self._raw.append(end)
        return "".join((*pieces, raw[end:]))
