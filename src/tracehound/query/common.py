"""Regular expressions that mean the same in RE2 and in Java, whose language Spark has.

The two differ in what a dot, the end of a text and a letter without regard to case are; and Java looks again and again
where something is repeated, for hours if it has to, where RE2 goes through a text once. So the common ones are of
characters, sets of these, ends and alternatives, without repetition and without groups.
"""

from __future__ import annotations

import functools
import re
from typing import Final

_ATOM: Final = re.compile(
    r"(?P<special>[.^$]|\\[dws])"
    r"|(?P<same>\||\\[!-/:-@\[-`{-~]|\[\^?(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|[ _,@%/.])+\]|[^\\.^$|?*+()\[\]{}])"
)
# What is written for an atom, so that it means in both what it means in RE2.
_WRITTEN: Final = {
    ".": r"[^\n]", "^": r"\A", "$": r"\z", r"\d": "[0-9]", r"\w": "[0-9A-Za-z_]", r"\s": r"[\t\n\f\r ]",
}  # fmt: skip


@functools.lru_cache(maxsize=256)
def common_expression(pattern: str) -> str | None:
    """Return a valid expression of RE2 as one that means the same in Java; None where that is not sure.

    >>> common_expression("^prod|v[0-9]"), common_expression("(?i)prod"), common_expression("a.*b")
    ('\\\\Aprod|v[0-9]', None, None)
    """
    written = []
    at = 0
    while at < len(pattern):
        atom = _ATOM.match(pattern, at)
        if atom is None:
            return None
        written.append(_WRITTEN.get(atom[0], atom[0]))
        at = atom.end()
    return "".join(written)
