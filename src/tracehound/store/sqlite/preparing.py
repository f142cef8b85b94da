"""What a batch needs of parts and follows from each of them alone, worked out ahead, in whatever process (`store.api`).

It takes about half of what writing a trace takes, and most traces come in one part. Those are rows here, as if each
were all that is known of its trace. What the store adds is where they go: the numbers of their rows. Postings are
gathered by their terms, as the batch will have them.
"""

from __future__ import annotations

import itertools
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeAlias

from tracehound.model.merge import merge_parts
from tracehound.model.record import Record, to_msgpack, unpacker
from tracehound.model.trace import TracePart
from tracehound.query.terms import Term
from tracehound.query.words import words_of
from tracehound.store.api import Prepared
from tracehound.store.sqlite.hours import Counted, count_of
from tracehound.store.sqlite.postings import masks_of
from tracehound.store.sqlite.rows import to_row
from tracehound.wire.payload import pack, to_unpacked

Key: TypeAlias = tuple[int, int]


class PartRow(Record, frozen=True, array_like=True, gc=False):
    """A part of a trace as a row, and what is not in that row."""

    trace_id: str
    experiment: str
    key: Key
    payload: bytes
    owner: str | None
    has_ended: bool


class Ready(Record, frozen=True, array_like=True, gc=False):
    """Rows of traces whose only part is here, in columns: the first of each list is of the first trace.

    `masks` has for each of the terms the traces that have it, by their places in the lists, each with the mask behind
    it. Of the traces of `others` there are several parts.
    """

    parts: list[PartRow]
    traces: list[tuple[Any, ...]]
    words: list[bytes | None]
    counted: list[Counted]
    terms: list[Term]
    masks: list[list[int]]
    others: list[PartRow]

    def trace_ids(self) -> list[str]:
        """Return the traces of the parts, as often as they have parts here."""
        return [part.trace_id for part in self.parts + self.others]

    def taken_out(self, trace_ids: AbstractSet[str]) -> tuple[Ready, list[PartRow]]:
        """Return what is ready of other traces than these, and the parts that are of these or of `others`."""
        if trace_ids.isdisjoint([part.trace_id for part in self.parts]):
            return self, self.others
        kept = [place for place, part in enumerate(self.parts) if part.trace_id not in trace_ids]
        to = {place: number for number, place in enumerate(kept)}
        masks = [[n for place, mask in _pairs(each) if place in to for n in (to[place], mask)] for each in self.masks]
        left = Ready(
            parts=[self.parts[place] for place in kept],
            traces=[self.traces[place] for place in kept],
            words=[self.words[place] for place in kept],
            counted=[self.counted[place] for place in kept],
            terms=[term for term, each in zip(self.terms, masks, strict=True) if each],
            masks=[each for each in masks if each],
            others=[],
        )
        return left, [part for part in self.parts if part.trace_id in trace_ids] + self.others

    def postings(self) -> Iterator[tuple[Term, Iterator[tuple[int, int]]]]:
        """Yield each term with the places of the traces that have it, and their masks."""
        for term, masks in zip(self.terms, self.masks, strict=True):
            yield term, _pairs(masks)


read_ready: Final = unpacker(Ready)


def prepare(parts: Sequence[TracePart]) -> Prepared:
    """Make parts ready for `write_prepared`; raise where one of them is nothing that a store can hold."""
    counts = Counter(part.trace_id for part in parts)
    alone = [part for part in parts if counts[part.trace_id] == 1]
    traces = [merge_parts([part]) for part in alone]  # one step after the other, as in a batch (ADR 0037)
    masks: defaultdict[Term, list[int]] = defaultdict(list)
    for place, trace in enumerate(traces):
        for term, mask in masks_of(trace.info, trace.data.spans).items():
            masks[term] += (place, mask)
    ready = Ready(
        parts=[_to_row(part) for part in alone],
        traces=[to_row(trace.info, trace.data.spans) for trace in traces],
        words=[words_of(trace.data.spans) for trace in traces],
        counted=[count_of(trace.info) for trace in traces],
        terms=[*masks],
        masks=[*masks.values()],
        others=[_to_row(part) for part in parts if counts[part.trace_id] > 1],
    )
    return Prepared(ready.trace_ids(), sorted({part.experiment for part in parts}), to_msgpack(ready))


def sort_out(
    prepared: Sequence[Ready], touched: AbstractSet[str], deleted: AbstractSet[str]
) -> tuple[list[Ready], list[PartRow]]:
    """Return what is ready of traces that have one part in all, and the parts of others but those that are deleted.

    Of those that are `touched` something else is known.
    """
    counts = Counter(itertools.chain.from_iterable(each.trace_ids() for each in prepared))
    not_alone = {*touched, *deleted, *(trace_id for trace_id, count in counts.items() if count > 1)}
    sorted_out = [each.taken_out(not_alone) for each in prepared]
    rows = itertools.chain.from_iterable(others for _, others in sorted_out)
    return [left for left, _ in sorted_out], [row for row in rows if row.trace_id not in deleted]


def to_keyed(part: TracePart) -> tuple[Key, bytes]:
    """Return what tells a part that arrives again from another one, and its payload."""
    unpacked = to_unpacked(part)
    return (part.written_ns, zlib.crc32(unpacked)), pack(unpacked)


def _to_row(part: TracePart) -> PartRow:
    return PartRow(part.trace_id, part.experiment, *to_keyed(part), part.owner, part.has_ended)


def _pairs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    each = iter(numbers)
    return zip(each, each, strict=True)
