"""Finding passages: by BM25 over an inverted index, or by reading all of them as version 1.0 does.

BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with the usual k1 and b.
"""

from __future__ import annotations

import difflib
import functools
import heapq
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import tracehound
from corpus import Passage, read_passages, split_sentences

_K1: Final = 1.2
_B: Final = 0.75
_WORD: Final = re.compile(r"[a-z0-9]+")
_STOP_WORDS: Final = frozenset(
    _WORD.findall(
        "a an and another are as at be by can do does for from have how i if in into is it its like more much of on "
        "one or than that the their there this to what when which who with you your"
    )
)
# The first ending that fits is replaced; at least three letters remain.
_ENDINGS: Final = (("ies", "y"), ("sses", "ss"), ("ss", "ss"), ("ing", ""), ("ed", ""), ("ly", ""), ("s", ""))


def to_words(text: str) -> list[str]:
    """Return the words of a text that say something, in lower case.

    >>> to_words("How do I call textwrap.dedent?")
    ['call', 'textwrap', 'dedent']
    """
    return [word for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS]


@functools.cache
def to_stem(word: str) -> str:
    """Return what the forms of a word have in common.

    >>> [to_stem(word) for word in ("split", "splitting", "copies", "copy", "parsed", "parse")]
    ['split', 'split', 'copy', 'copy', 'pars', 'pars']
    """
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending) + instead
            break
    word = word.removesuffix("e") if len(word) > 3 else word
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def to_stems(text: str) -> list[str]:
    """Return the stems of the words of a text."""
    return [to_stem(word) for word in to_words(text)]


@dataclass(frozen=True)
class Hit:
    """A passage and how well it fits; scores compare only within one result."""

    passage: Passage
    score: float


class Index:
    """An inverted index: for each stem the passages it occurs in, and how often."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = passages
        self.names = sorted({passage.name for passage in passages})
        self._lengths: list[int] = []
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, passage in enumerate(passages):
            counts = Counter(to_stems(f"{passage.name} {passage.text}"))
            self._lengths.append(counts.total())
            for stem, count in counts.items():
                self._postings[stem].append((number, count))
        self._mean_length = sum(self._lengths) / max(len(self._lengths), 1)

    def __repr__(self) -> str:
        return f"<index of {len(self._postings)} stems in {len(self.passages)} passages>"

    def search(self, words: Iterable[str], limit: int) -> list[Hit]:
        """Return the passages that fit the words best, by BM25 of their stems."""
        scores: dict[int, float] = defaultdict(float)
        for stem in {to_stem(word): None for word in words}:
            postings = self._postings.get(stem, [])
            rarity = math.log(1 + (len(self.passages) - len(postings) + 0.5) / (len(postings) + 0.5))
            for number, count in postings:
                length = self._lengths[number] / self._mean_length
                scores[number] += rarity * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * length))
        return self._best(scores, limit)

    def scan(self, words: Iterable[str], limit: int) -> list[Hit]:
        """Return the passages with most of the words, as they are written, in one sentence: by reading everything."""
        wanted = set(words)
        scores = {}
        for number, passage in enumerate(self.passages):
            sentences = split_sentences(f"{passage.name}. {passage.text}")
            score = max(len(wanted.intersection(_WORD.findall(sentence.lower()))) for sentence in sentences)
            if score:
                scores[number] = float(score)
        return self._best(scores, limit)

    def _best(self, scores: Mapping[int, float], limit: int) -> list[Hit]:
        best = heapq.nlargest(limit, scores.items(), key=lambda item: (item[1], -item[0]))
        return [Hit(self.passages[number], round(score, 3)) for number, score in best]


def rank(hits: Iterable[Hit], words: Iterable[str], limit: int) -> list[Hit]:
    """Return the best of the hits: those that hold most of the words, in the order of the question, come first."""
    wanted = list(dict.fromkeys(to_stem(word) for word in words))

    def rescored(hit: Hit) -> Hit:
        sentences = [to_stems(sentence) for sentence in split_sentences(hit.passage.text)]
        alike = max(difflib.SequenceMatcher(None, wanted, sentence, autojunk=False).ratio() for sentence in sentences)
        found = set(to_stems(hit.passage.name)).union(*sentences)
        covered = len(found.intersection(wanted)) / max(len(wanted), 1)
        return replace(hit, score=round(hit.score * (1 + alike + covered), 3))

    return sorted(map(rescored, hits), key=lambda hit: -hit.score)[:limit]


@tracehound.trace
def build_index() -> Index:
    """Read the documentation of the standard library and index it."""
    with tracehound.start_span("read_passages", span_type="PARSER") as span:
        passages = list(read_passages())
        span.set_outputs({"passages": len(passages), "characters": sum(len(each.text) for each in passages)})
    with tracehound.start_span("count_words") as span:
        span.set_inputs({"passages": len(passages)})
        index = Index(passages)
        span.set_outputs(repr(index))
    return index
