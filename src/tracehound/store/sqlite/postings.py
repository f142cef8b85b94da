"""What a batch changes in the inverted index: the postings of traces, and the terms that they are of.

Postings are gathered by their terms. So they need not be sorted to go into the table in its order, and of each term the
batch has one object, however many of its traces have it.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from tracehound.model.span import Span
from tracehound.model.trace import TraceInfo
from tracehound.query.span_terms import add_span_terms
from tracehound.query.terms import Term, terms_of
from tracehound.store.sqlite.inserting import insert_rows, insert_values

Posting: TypeAlias = tuple[int, int, int, int, int]

_WIDTH: Final = 5  # of a posting
_INSERT: Final = "INSERT INTO posting (term, experiment, start_ms, trace, mask)"
_INSERT_TERMS: Final = "INSERT OR IGNORE INTO term (kind, key, number, value)"
_DELETE: Final = "DELETE FROM posting WHERE term = ? AND experiment = ? AND start_ms = ? AND trace = ?"
_DELETE_TERMS: Final = (
    "DELETE FROM term WHERE kind = ? AND key = ? AND number = ?3 AND ?4 IS ?4"
    " AND NOT EXISTS (SELECT 1 FROM posting WHERE term = ?3)"
)


class Entries(NamedTuple):
    """What the index has of a trace: where its postings stand, and of each of its terms which spans have it."""

    experiment: int
    start_ms: int
    trace: int
    masks: Mapping[Term, int]

    def posting(self, term: Term) -> Posting:
        """Return the row of one of the terms."""
        return term.number, self.experiment, self.start_ms, self.trace, self.masks[term]

    def differ(self, other: Entries) -> list[Term]:
        """Return the terms whose rows the other one has not."""
        if (self.experiment, self.start_ms) != (other.experiment, other.start_ms):
            return list(self.masks)
        return [term for term, mask in self.masks.items() if other.masks.get(term) != mask]


def entries_of(info: TraceInfo, spans: Sequence[Span], trace: int) -> Entries:
    """Return what the index is to have of a trace, whose row has that number."""
    return Entries(int(info.experiment_id), info.request_time, trace, masks_of(info, spans))


def masks_of(info: TraceInfo, spans: Sequence[Span]) -> dict[Term, int]:
    """Return the terms of a trace, each with the mask of the spans that have it."""
    found = dict.fromkeys(terms_of(info), 0)
    add_span_terms(found, spans)
    return found


class PostingChanges:
    """The rows of a batch, to be removed and to be inserted."""

    def __init__(self) -> None:
        self._gone: list[Posting] = []
        self._gone_terms: set[Term] = set()
        self._new: defaultdict[Term, list[int]] = defaultdict(list)  # postings, one behind the other

    def remove(self, entries: Entries) -> None:
        """Take a trace away."""
        self._gone += map(entries.posting, entries.masks)
        self._gone_terms.update(entries.masks)

    def change(self, before: Entries | None, after: Entries) -> None:
        """Change what the index has of a trace, if anything; what stays the same is left alone."""
        if before is None:
            self._add(after)
            return
        self._gone += map(before.posting, before.differ(after))
        self._gone_terms |= before.masks.keys() - after.masks.keys()
        for term in after.differ(before):
            self._new[term] += after.posting(term)

    def _add(self, entries: Entries) -> None:
        """Add the postings of a trace that the index does not have."""
        experiment, start_ms, trace, masks = entries
        new = self._new
        for term, mask in masks.items():
            postings = new[term]
            postings += (term[2], experiment, start_ms, trace, mask)  # [2] is its number: quicker than by its name

    def add_ready(
        self, places: Sequence[tuple[int, int, int]], postings: Iterable[tuple[Term, Iterable[tuple[int, int]]]]
    ) -> None:
        """Add those of traces that the index does not have: of each its experiment, start and number are given."""
        new = self._new
        for term, masks in postings:
            number, values = term.number, new[term]
            for which, mask in masks:
                values += (number, *places[which], mask)

    def apply(self, connection: sqlite3.Connection) -> None:
        """Change the tables, and let go of what is in them."""
        connection.executemany(_DELETE, [posting[:-1] for posting in self._gone])
        terms = sorted(self._new, key=attrgetter("number"))
        insert_values(connection, _INSERT, list(itertools.chain.from_iterable(map(self._new.pop, terms))), _WIDTH)
        insert_rows(connection, _INSERT_TERMS, terms)
        connection.executemany(_DELETE_TERMS, self._gone_terms.difference(terms))
