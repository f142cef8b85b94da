"""The assistant: what it answers, how its versions differ, and which failures each of them survives.

A question goes through the usual steps (analyse, use tools, retrieve, rank, compose), each of them a span. No model is
asked: answers are made of sentences of the documentation and of what the tools say.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar

import tools
import tracehound
from corpus import split_sentences
from index import Hit, Index, rank, to_stem, to_stems, to_words

P = ParamSpec("P")
R = TypeVar("R")

_DOTTED_NAME: Final = re.compile(r"\b[a-z_]\w*(?:\.\w+)+")
_QUOTED: Final = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Version:
    """A release of the assistant; a failing step ends the answer unless the version copes with its exception."""

    number: str
    uses_index: bool
    ranks: bool
    copes_with: tuple[type[Exception], ...]


VERSIONS: Final = (
    Version("1.0", uses_index=False, ranks=False, copes_with=()),
    Version("1.1", uses_index=True, ranks=False, copes_with=(TypeError, ValueError)),
    Version(
        "2.0",
        uses_index=True,
        ranks=True,
        copes_with=(TypeError, ValueError, LookupError, ArithmeticError, tools.ExampleFailedError),
    ),
)


@dataclass(frozen=True)
class Caller:
    """Who asks, in which conversation, and where."""

    user: str
    session: str
    env: str


@dataclass(frozen=True)
class Query:
    """A question as the assistant understands it."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    expression: str | None


@dataclass(frozen=True)
class Answer:
    """A text, and the names whose documentation it was taken from."""

    text: str
    sources: tuple[str, ...]


@tracehound.trace(span_type="PARSER")
def analyse_question(question: str) -> Query:
    """Return the words, the dotted names and the `expression` of a question."""
    quoted = _QUOTED.search(question)
    names = () if quoted else tuple(_DOTTED_NAME.findall(question))
    return Query(tuple(to_words(question)), names, quoted and quoted[1])


@tracehound.trace(span_type="CHAIN")
def compose_answer(query: Query, hits: Sequence[Hit], notes: Sequence[str]) -> Answer:
    """Return the sentences that fit best, behind what the tools had to say; raise `LookupError` if there are none."""
    if not hits and not notes:
        raise LookupError("no passage has any of these words: " + ", ".join(query.words))
    stems = {to_stem(word) for word in query.words}
    sentences = [sentence for hit in hits for sentence in split_sentences(hit.passage.text)]
    chosen = sorted(sentences, key=lambda sentence: -len(stems.intersection(to_stems(sentence))))[:2]
    sources = tuple(dict.fromkeys(hit.passage.name for hit in hits))
    return Answer(" ".join([*notes, *(" ".join(sentence.split()) for sentence in chosen)]), sources)


class Assistant:
    """One version of the assistant in conversation with one caller."""

    def __init__(self, index: Index, version: Version, caller: Caller) -> None:
        self._index = index
        self._version = version
        self._caller = caller

    @tracehound.trace(span_type="AGENT")
    def answer_question(self, question: str) -> Answer:
        """Answer a question in plain words."""
        self._sign_trace()
        query = analyse_question(question)
        if query.expression is not None:
            value = self._attempt(tools.calculate, query.expression)
            return Answer("It has no value." if value is None else f"It is {value}.", ())
        notes = self._use_tools(query.names) if query.names else []
        hits = self._find_passages(query)
        answer = self._attempt(compose_answer, query, hits, notes)
        return answer or Answer("The documentation says nothing about that.", ())

    @tracehound.trace(span_type="AGENT")
    def explain_name(self, name: str) -> Answer:
        """Say what a dotted name stands for, how it is called, and whether its examples work."""
        self._sign_trace()
        entry = self._attempt(tools.look_up, name)
        if entry is None:
            entry = tools.look_up(tools.suggest_name(name, self._index.names))
        signature = None if entry.kind == "module" else self._attempt(tools.show_signature, entry.name)
        examples = self._attempt(tools.run_example, entry.name) if entry.has_example else None
        parts = [f"{entry.name} is a {entry.kind}.", entry.summary]
        if signature is not None:
            parts.append(f"Call it as {signature}.")
        if examples is not None:
            parts.append(f"Examples that work: {examples}.")
        return Answer(" ".join(parts), (entry.name,))

    @tracehound.trace(span_type="AGENT")
    async def compare_names(self, first: str, second: str) -> Answer:
        """Put what two names stand for side by side."""
        self._sign_trace()
        # Both are waited for, also when one fails: no step outlives the trace.
        left, right = await asyncio.gather(self._describe(first), self._describe(second), return_exceptions=True)
        if isinstance(left, BaseException):
            raise left
        if isinstance(right, BaseException):
            raise right
        shared = set(to_words(left)).intersection(to_words(right))
        return Answer(f"{left} {right} Both speak of: {', '.join(sorted(shared))}.", (first, second))

    @tracehound.trace(span_type="AGENT")
    def summarise_module(self, name: str) -> Answer:
        """Say what a module is for and name its members that are closest to that."""
        self._sign_trace()
        entry = tools.look_up(name)
        if entry.kind != "module":
            raise TypeError(f"{name} is a {entry.kind}, not a module")
        with tracehound.start_span("rank_members", span_type="RERANKER") as span:
            members = [Hit(each, 1.0) for each in self._index.passages if each.module == name and each.name != name]
            span.set_inputs({"summary": entry.summary, "members": len(members)})
            best = rank(members, to_words(entry.summary), limit=5)
            span.set_outputs([hit.passage.name for hit in best])
        sources = tuple(dict.fromkeys(hit.passage.name for hit in best))
        return Answer(f"{entry.summary} See {', '.join(sources)}.", (name, *sources))

    def _sign_trace(self) -> None:
        tracehound.update_current_trace(
            tags={"app_version": self._version.number, "env": self._caller.env},
            metadata={"mlflow.trace.user": self._caller.user, "mlflow.trace.session": self._caller.session},
        )

    def _attempt(self, step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
        """Return what a step returns, or None after a failure that this version copes with."""
        try:
            return step(*args, **kwargs)
        except self._version.copes_with as failure:
            tracehound.update_current_trace(tags={"survived": type(failure).__name__})
            return None

    @tracehound.trace(name="use_tools", span_type="CHAIN")
    def _use_tools(self, names: Sequence[str]) -> list[str]:
        """Return what the tools know about the names in a question."""
        notes = []
        for name in names:
            entry = self._attempt(tools.look_up, name)
            signature = self._attempt(tools.show_signature, name) if entry else None
            notes += [f"Call {signature}."] if signature else []
        return notes

    @tracehound.trace(name="find_passages", span_type="CHAIN")
    def _find_passages(self, query: Query) -> list[Hit]:
        """Return the three passages that fit a question best, ranked anew if this version does that."""
        with tracehound.start_span("retrieve", span_type="RETRIEVER") as span:
            span.set_inputs({"words": query.words})
            span.set_attribute("passages", len(self._index.passages))
            retrieve = self._index.search if self._version.uses_index else self._index.scan
            hits = retrieve(query.words, limit=40 if self._version.ranks else 3)
            span.set_outputs(hits)
        if not self._version.ranks:
            return hits
        with tracehound.start_span("rank", span_type="RERANKER") as span:
            span.set_inputs({"words": query.words, "passages": [hit.passage.name for hit in hits]})
            ranked = rank(hits, query.words, limit=3)
            span.set_outputs(ranked)
        return ranked

    @tracehound.trace(name="describe", span_type="CHAIN")
    async def _describe(self, name: str) -> str:
        """Return what a name stands for and how to call it, without keeping the other one waiting."""
        entry = await asyncio.to_thread(tools.look_up, name)
        signature = await asyncio.to_thread(self._attempt, tools.show_signature, name)
        return f"{signature or name} is a {entry.kind}: {entry.summary}"
