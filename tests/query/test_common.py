"""Expressions that go to engines with Java's regular expressions say there what they say in RE2."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from tracehound.query.common import common_expression

# Pieces that patterns are made of: those that are common, and those that the two languages read differently.
PIECES = [
    "a", "b", "5", " ", "-", "日", "🐕", ".", "^", "$", "|", "\\.", "\\$", "\\\\", "\\/", "\\d", "\\w", "\\s", "[ab]",
    "[^ab]", "[a-z5]", "[0-9_]", "[^A-Z ]", "\n", "\u2028", "#", "&&", "(a)", "a*", "b+", "5?", "a{2}", "\\b", "(?i)a",
    "\\p{L}", "[[:alpha:]]", "[a&&b]", "\\Q", "]", "}", "\\x41", "(?:b)", "\\z", "\\A", "\\D",
]  # fmt: skip
PATTERNS = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
TEXTS = [
    "", "a", "b", "ab", "ab\n", "a\nb", "a.b", "a$", "\\", "a/b", "5", "٥", "Aa5_ ", "日本", "b🐕", "\u2028", "\x0b",
    "\x85", "#", "&", "-", "|", "]", "}", "Z", "é", "a\r", "\r\n",
]  # fmt: skip


@given(PATTERNS)
def test_what_is_written_for_another_engine_means_the_same_here(pattern: str) -> None:
    written = common_expression(pattern)
    if written is None:
        return
    try:
        compiled = re2.compile(pattern)
    except re2.error:
        return
    same = re2.compile(written)
    assert [bool(compiled.search(text)) for text in TEXTS] == [bool(same.search(text)) for text in TEXTS]


@pytest.mark.parametrize("pattern", ["^prod", "timeout|refused", "v[0-9]\\.[0-9]$", "日本", "a b", ".x", "", "10%"])
def test_patterns_without_repetition_are_common(pattern: str) -> None:
    assert common_expression(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    ["a*", "(a|b)c", "(?i)prod", "a{2}", "\\bx", "[[:alpha:]]", "[a&&b]", "\\Qa\\E", "\\x41", "a+?", "\\p{Lu}"],
)
def test_what_java_reads_differently_or_slowly_is_not(pattern: str) -> None:
    assert common_expression(pattern) is None
