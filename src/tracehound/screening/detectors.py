"""Secrets in a text: what kinds there are, and where each stands. Every search goes through the text once.

They are made to find what people and programs leave in prompts, tool calls and messages of errors; what looks like a
secret and is none is masked too. `tests/screening/corpus.py` says how much of either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from tracehound.screening.keys import Place, find_keys, has_digit_and_letter, is_in_word

MIN_LENGTH: Final = 6  # of anything that is found: a@b.co

# Letters of addresses: ASCII, and those of alphabets whose texts have spaces. Of names of hosts also those of CJK.
_LETTERS: Final = "A-Za-z\u00c0-\u052f"
_LOCAL_REVERSED: Final = re.compile(rf"[{_LETTERS}0-9_+-][{_LETTERS}0-9._+-]*")
_HOST: Final = re.compile(
    rf"(?:[{_LETTERS}0-9\u3040-\u9fff\uac00-\ud7af-]{{1,63}}\.)+([{_LETTERS}]{{2,24}}|xn--[\w-]{{2,59}})"
)
_AT: Final = re.compile("@|%40")
_NO_DOMAINS: Final = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json", "html", "htm"))

_BEARER: Final = re.compile(r"""earer(?:%20|[ \t]){1,4}["']?([\w.~+/-]{8,}=*)""", re.ASCII | re.IGNORECASE)
_AUTHORIZATION: Final = re.compile(
    r"""uthorization["']?\s{0,8}[:=,]\s{0,8}["']?(?:(?:bearer|basic|token|digest|apikey)\s{1,4})?([\w.~+/-]{8,}=*)""",
    re.ASCII | re.IGNORECASE,
)
_JWT: Final = re.compile(r"eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?", re.ASCII)
_JWT_WORD: Final = re.compile(r"[\w-]*", re.ASCII)
_LONG_TOKEN: Final = 20  # characters: a word of so many has capitals inside of it or is none

# Digits, alone or in groups with one space or dash between them; and the same where all digits are 0 and all dashes
# spaces, which is found ten times as fast, but can only be made of ASCII so fast.
_DIGITS: Final = re.compile(r"[0-9]{3}[0-9 -]{9,}[0-9]")
_ZEROS: Final = re.compile(r"000[0 ]{9,}0")
_TO_ZEROS: Final = str.maketrans("123456789-", "000000000 ")
_RUN: Final = re.compile(r"[0-9]+(?:[ -][0-9]{1,7}(?![0-9]))*")
_GROUP: Final = re.compile("[0-9]+")
_HEXADECIMAL: Final = re.compile("[0-9a-fA-F]*")
_LENGTHS_OF_HASHES: Final = (32, 40, 64)  # an id as ours and a UUID without dashes, SHA-1, SHA-256
_LONGEST_HASH: Final = 64
# How long the groups are in which cards are printed. A number that stands alone may be in any groups.
_PRINTED: Final = frozenset(
    ((4, 4, 4, 4), (4, 4, 4, 4, 1), (4, 4, 4, 4, 2), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (4, 4, 4, 1), (4, 3, 3, 3))
)
# The shapes of cards: how a number begins, and how many digits such cards have.
_CARDS: Final = (
    (re.compile("4"), (13, 16, 19)),
    (re.compile("5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),
    (re.compile("3[47]"), (15,)),
    (re.compile("3(?:0[0-5]|[689])"), (14, 15, 16, 17, 18, 19)),
    (re.compile("6(?:011|4[4-9]|5|2)|35|5[06789]|6[0-9]"), (16, 17, 18, 19)),
)
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


class Found(NamedTuple):
    """A secret: where it stands, its kind, and what is the same of it wherever it stands."""

    start: int
    end: int
    kind: str
    value: str


def find_emails(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where there are e-mail addresses, in any letters of Europe, and what they are in lower case."""
    if "@" not in text and "%40" not in text:
        return
    begin = 0
    for sign in _AT.finditer(text):
        at, end = sign.span()
        local = _LOCAL_REVERSED.match(text[begin:at][::-1])
        host = None if local is None else _HOST.match(text, end)
        begin = end
        if local is None or host is None or host[1].lower() in _NO_DOMAINS:
            continue
        name = local[0][::-1].lstrip(".+-")
        if text[at - len(name) - 1 : at - len(name)] == "%":  # of an escape in a URL
            name = name[2:]
        if not name or (name == "git" and text[host.end() : host.end() + 1] == ":"):  # an address of a repository
            continue
        yield at - len(name), host.end(), f"{name}@{host[0]}".casefold()


def find_bearer_tokens(text: str) -> Iterator[Place]:
    """Yield where there are tokens of HTTP's Authorization, and JSON web tokens."""
    for begin, pattern in (("earer", _BEARER), ("EARER", _BEARER), ("uthorization", _AUTHORIZATION)):
        at = text.find(begin)
        while at != -1:
            found = pattern.match(text, at)
            if found is not None and (pattern is _AUTHORIZATION or _is_token(found[1])):
                yield found.span(1)
            at = text.find(begin, at + len(begin) if found is None else found.end())
    at = text.find("eyJ")
    while at != -1:
        found = None if is_in_word(text, at) else _JWT.match(text, at)
        if found is not None:
            yield found.span()
        after = found or _JWT_WORD.match(text, at)  # no other one begins in a word that is not the first part of one
        at = text.find("eyJ", at + 3 if after is None else max(after.end(), at + 3))


def _is_token(text: str) -> bool:
    return has_digit_and_letter(text) or (len(text) >= _LONG_TOKEN and not (text.islower() or text.istitle()))


def find_cards(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where there are numbers of payment cards, and their digits."""
    around_all = _ZEROS.finditer(text.translate(_TO_ZEROS)) if text.isascii() else _DIGITS.finditer(text)
    for around in around_all:
        for run in _RUN.finditer(text, *around.span()):
            yield from _cards_in(text, *run.span())


def _cards_in(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield the cards in a run of groups of digits; each begins and ends with a group."""
    if text[start - 1 : start] == "." and text[max(0, start - 2) : start - 1].isdigit():  # decimals
        return
    groups = [found.span() for found in _GROUP.finditer(text, start, end)]
    if len(groups) == 1 and _is_in_hash(text, start, end):
        return
    lengths = [high - low for low, high in groups]
    if min(lengths[:-1], default=2) > 1 and is_card(digits := "".join(text[low:high] for low, high in groups)):
        yield start, end, digits
        return
    first = 0
    while first < len(groups):
        after = first + 1
        for last in range(first + 1, min(first + 5, len(groups)) + 1):
            if last - first > 1 and tuple(lengths[first:last]) not in _PRINTED:
                continue
            digits = "".join(text[low:high] for low, high in groups[first:last])
            if is_card(digits):
                yield groups[first][0], groups[last - 1][1], digits
                after = last
                break
        first = after


def _is_in_hash(text: str, start: int, end: int) -> bool:
    """Whether digits stand in an id or a hash: of 3,000 random ids of 32 digits, ours among them, one has a card's."""
    before = _HEXADECIMAL.match(text[max(0, start - _LONGEST_HASH) : start][::-1])
    after = _HEXADECIMAL.match(text, end, end + _LONGEST_HASH)
    around = sum(len(each[0]) for each in (before, after) if each is not None)
    return around > 0 and around + end - start in _LENGTHS_OF_HASHES


def is_card(digits: str) -> bool:
    """Whether digits can be a card's: they begin as those of an issuer, are as many, and their check digit is right.

    >>> is_card("4111111111111111"), is_card("4111111111111112"), is_card("1735689600000000000")
    (True, False, False)
    """
    length = len(digits)
    if not any(length in lengths and begin.match(digits) for begin, lengths in _CARDS):
        return False
    if len(set(digits)) == 1:
        return False
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[each] for each in numbers[1::2])) % 10 == 0


def _find_keys(text: str) -> Iterator[Found]:
    for start, end in find_keys(text):
        yield Found(start, end, "api_key", text[start:end])


def _find_bearer_tokens(text: str) -> Iterator[Found]:
    for start, end in find_bearer_tokens(text):
        yield Found(start, end, "bearer_token", text[start:end])


def _find_emails(text: str) -> Iterator[Found]:
    return (Found(start, end, "email", value) for start, end, value in find_emails(text))


def _find_cards(text: str) -> Iterator[Found]:
    return (Found(start, end, "credit_card", value) for start, end, value in find_cards(text))


# The kinds by name. Where two find the same, the first one says what it is: a key behind "Bearer" is that key.
DETECTORS: Final[dict[str, Callable[[str], Iterator[Found]]]] = {
    "api_key": _find_keys,
    "bearer_token": _find_bearer_tokens,
    "credit_card": _find_cards,
    "email": _find_emails,
}


def find_secrets(text: str, kinds: Iterable[str]) -> list[Found]:
    """Return the secrets of some kinds in a text, in their order; none begins before another one has ended.

    >>> find_secrets("write to Tom@Example.org", ["email"])
    [Found(start=9, end=24, kind='email', value='tom@example.org')]
    """
    if len(text) < MIN_LENGTH:
        return []
    found = [each for kind in kinds for each in DETECTORS[kind](text)]
    if len(found) > 1:
        found.sort(key=lambda each: each.start)  # stable: of two that begin together the first kind stays before
    chosen: list[Found] = []
    for each in found:
        if chosen and each.start < chosen[-1].end:
            if each.kind == "email" and text[chosen[-1].end : chosen[-1].end + 1] == "@":
                continue  # the password and the host of a URL
            chosen[-1] = chosen[-1]._replace(end=max(each.end, chosen[-1].end))
        else:
            chosen.append(each)
    return chosen
