"""API keys and passwords in a text: by the shapes that their issuers give them, and by the names they stand behind."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, TypeAlias

# Where a secret begins and ends.
Place: TypeAlias = tuple[int, int]

# How a key begins, and all of it from there on. Each pattern takes its characters once: none can be made to try them
# over and over. What begins in the midst of a word is no key, unless an escape of a URL stands before it.
_SHAPES: Final = {
    "sk-": r"[\w-]{20,}",  # OpenAI, Anthropic (sk-ant-), OpenRouter, DeepSeek, Langfuse
    "pk-lf-": r"[\w-]{20,}",
    "sk_live_": r"[0-9A-Za-z]{16,}",  # Stripe
    "sk_test_": r"[0-9A-Za-z]{16,}",
    "rk_live_": r"[0-9A-Za-z]{16,}",
    "rk_test_": r"[0-9A-Za-z]{16,}",
    "whsec_": r"[0-9A-Za-z+/=]{24,}",
    "AKIA": r"[0-9A-Z]{16}(?![0-9A-Za-z])",  # AWS
    "ASIA": r"[0-9A-Z]{16}(?![0-9A-Za-z])",
    "ghp_": r"[0-9A-Za-z]{30,}",  # GitHub
    "gho_": r"[0-9A-Za-z]{30,}",
    "ghu_": r"[0-9A-Za-z]{30,}",
    "ghs_": r"[0-9A-Za-z]{30,}",
    "ghr_": r"[0-9A-Za-z]{30,}",
    "github_pat_": r"\w{22,}",
    "glpat-": r"[\w-]{20,}",
    "AIza": r"[\w-]{35}",  # Google
    "ya29.": r"[\w-]{20,}",
    "GOCSPX-": r"[\w-]{20,}",
    **{f"xox{letter}-": r"[0-9A-Za-z-]{10,}" for letter in "abeoprs"},  # Slack
    "xapp-": r"[0-9A-Za-z-]{20,}",
    "hooks.slack.com/services/": r"[0-9A-Z]+/[0-9A-Z]+/[0-9A-Za-z]+",
    "hf_": r"[0-9A-Za-z]{30,}",  # Hugging Face
    "gsk_": r"[0-9A-Za-z]{40,}",  # Groq
    "xai-": r"[0-9A-Za-z]{40,}",
    "pplx-": r"[0-9A-Za-z]{40,}",
    "r8_": r"[0-9A-Za-z]{36,}",  # Replicate
    "dapi": r"[0-9a-f]{32}",  # Databricks
    "npm_": r"[0-9A-Za-z]{36,}",
    "pypi-": r"[\w-]{50,}",
    "SG.": r"[\w-]{16,}\.[\w-]{16,}",  # SendGrid
    "lsv2_": r"(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}",  # LangSmith
}
_REST: Final = {begin: re.compile(shape, re.ASCII) for begin, shape in _SHAPES.items()}
# Most of them begin with something and a dash, which texts have few of: a search for each dash leads to all of these.
_DASHED: Final = {dash: [begin for begin in _SHAPES if begin[-1] == dash] for dash in "-_"}
_BEGINS: Final = [
    re.compile(f"{dash}(?:{'|'.join(f'(?<=({begin}))' for begin in begins)})") for dash, begins in _DASHED.items()
]
_OTHERS: Final = [begin for begin in _SHAPES if begin[-1] not in "-_"]

_PRIVATE_KEY: Final = re.compile(
    "-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[0-9A-Za-z+/=\\s]*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
)

# The ends of names whose values are secret, each with what has to stand before it; then what may stand between the two,
# and the value.
_OF_KEYS: Final = ("api", "access", "account", "private", "auth", "signing", "encryption", "subscription", "secret")
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "key": tuple(f"{word}{dash}" for word in _OF_KEYS for dash in ("", "_", "-", " ")),
    "secret": ("",),
    "token": ("",),
    "password": ("",),
    "passwd": ("",),
    "credential": ("",),
}
_LONGEST_BEFORE: Final = max(map(len, _NAMES["key"]))
_BEHIND_NAME: Final = re.compile(
    r"""s?["']?(?:\s{0,8}(?::|=>?|\bis\b)\s{0,8}|\s{1,8}|["'],\s{0,8})["']?([0-9A-Za-z+/_=.~-]{16,})"""
)
_MIN_ENTROPY_BITS: Final = 2.8  # a character: words have less, at these lengths
# A password that is what stands for one (`pseudonyms`) has been taken out before.
_IN_URL: Final = re.compile(r"""://[^\s/:@"'<>]{0,128}:(?!\[[A-Z_]{1,32}_[a-p]{16}\]@)([^\s/@"'<>]{1,256})@""")


def find_keys(text: str) -> Iterator[Place]:
    """Yield where there are API keys, private keys, and passwords in URLs; first those with a shape of their own."""
    looked_at: dict[str, int] = {}  # how far, for each beginning
    for pattern in _BEGINS:
        for begin in pattern.finditer(text):
            at = begin.start(begin.lastindex or 0)
            yield from _key_at(text, at, text[at : begin.end()], looked_at)
    for name in _OTHERS:
        at = text.find(name)
        while at != -1:
            yield from _key_at(text, at, name, looked_at)
            at = text.find(name, max(at + len(name), looked_at.get(name, 0)))
    yield from _matches("-----BEGIN ", _PRIVATE_KEY, 0, text)
    yield from _matches("://", _IN_URL, 1, text)
    yield from _find_named(text)


def _key_at(text: str, at: int, begin: str, looked_at: dict[str, int]) -> Iterator[Place]:
    """Yield where the key is that begins at a position, if one does."""
    if at < looked_at.get(begin, 0) or is_in_word(text, at):
        return
    rest = _REST[begin].match(text, at + len(begin))
    if rest is not None:
        looked_at[begin] = rest.end()
        if has_digit_and_letter(rest[0]):
            yield at, rest.end()


def _matches(begin: str, pattern: re.Pattern[str], group: int, text: str) -> Iterator[Place]:
    """Yield where a group of a pattern is that begins with a text."""
    at = text.find(begin)
    while at != -1:
        found = pattern.match(text, at)
        if found is not None:
            yield found.span(group)
        at = text.find(begin, at + len(begin) if found is None else found.end())


def _find_named(text: str) -> Iterator[Place]:
    """Yield where something with the look of a secret stands behind a name of one."""
    lower = text.lower()
    if len(lower) != len(text):  # there is one letter that becomes two
        lower = text.replace("İ", "i").lower()
    for name, before in _NAMES.items():
        at = lower.find(name)
        while at != -1:
            end = at + len(name)
            if lower[max(0, at - _LONGEST_BEFORE) : at].endswith(before):
                found = _BEHIND_NAME.match(text, end)
                if found is not None:
                    end = found.end()
                    if has_digit_and_letter(found[1]) and _entropy_bits(found[1]) >= _MIN_ENTROPY_BITS:
                        yield found.span(1)
            at = lower.find(name, end)


def is_name_of_secret(name: str) -> bool:
    """Whether what stands behind a name, as its value, may be a secret.

    >>> is_name_of_secret("OPENAI_API_KEY"), is_name_of_secret("max_tokens_per_call")
    (True, False)
    """
    lower = name.lower()
    return any(lower.endswith(end) and lower[: -len(end)].endswith(before) for end, before in _NAMES.items())


def is_in_word(text: str, at: int) -> bool:
    """Whether a letter or digit of ASCII stands before a position, which is not the end of an escape such as %3D."""
    if at < 1 or not (text[at - 1].isascii() and text[at - 1].isalnum()):
        return False
    return not (at >= 3 and text[at - 3] == "%")


def has_digit_and_letter(text: str) -> bool:
    """Whether a text has what words have not."""
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text))


def _entropy_bits(text: str) -> float:
    length = len(text)
    return -sum(count / length * math.log2(count / length) for count in Counter(text).values())
