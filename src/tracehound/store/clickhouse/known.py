"""All that is known of traces: what arrived and what was said of them, and which of it counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tracehound.model.edit import Edit, without_discarded
from tracehound.model.merge import effective_parts
from tracehound.model.record import replace
from tracehound.model.trace import TracePart
from tracehound.query.clickhouse import as_list
from tracehound.query.sql import Sql
from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.reading import PartId

# The kinds of the rows of `said`.
PART: Final = "part"
ENDED: Final = "ended"
EDIT: Final = "edit"
DELETION: Final = "deletion"

_SAID_OF: Final = (
    "SELECT DISTINCT trace_id, kind, what, key, written_ns, digest, owner, value FROM said WHERE trace_id IN ?"
)
# What is known of a trace by no more than one part is not told.
_MORE_OF: Final = (
    "SELECT trace_id, groupUniqArray((kind, what, key, written_ns, digest, owner, value)) AS said FROM said"
    " WHERE trace_id IN ? GROUP BY trace_id HAVING length(said) > 1 OR said[1].1 != ?"
)
_THERE: Final = (
    "SELECT trace_id FROM head WHERE trace_id IN ? GROUP BY trace_id HAVING argMax(is_gone, (version, is_gone = 0)) = 0"
)


@dataclass
class Known:
    """All that is known of a trace; `count` is how many things that are."""

    parts: dict[PartId, str] = field(default_factory=dict)  # with the process of a snapshot, else the empty text
    ended: set[PartId] = field(default_factory=set)
    edits: list[Edit] = field(default_factory=list)
    is_deleted: bool = False
    count: int = 0

    def add(self, trace_id: str, thing: Sequence[Any]) -> None:
        """Add what a row of `said` says."""
        kind, what, key, written_ns, digest, owner, value = thing
        self.count += 1
        if kind == PART:
            self.parts[trace_id, written_ns, digest] = owner
        elif kind == ENDED:
            self.ended.add((trace_id, written_ns, digest))
        elif kind == EDIT:
            self.edits.append(Edit(trace_id, key, value, written_ns, what))
        else:
            self.is_deleted = True

    def effective(self, parts: Mapping[PartId, TracePart]) -> dict[PartId, TracePart]:
        """Return those of the parts that the trace is made of, in their order; none of one that is deleted."""
        if self.is_deleted:
            return {}
        own = {
            part_id: replace(parts[part_id], has_ended=True) if part_id in self.ended else parts[part_id]
            for part_id in self.parts
            if part_id in parts
        }
        by_identity = {id(part): part_id for part_id, part in own.items()}
        left = without_discarded(list(own.values()), self.edits)
        return {by_identity[id(part)]: part for part in effective_parts(left)}


def read_known(engine: Engine, trace_ids: Sequence[str]) -> dict[str, Known]:
    """Return what is known of traces, whoever has written it; of those that nothing is known of, that."""
    found: defaultdict[str, Known] = defaultdict(Known)
    for trace_id, *thing in engine.select(Sql(_SAID_OF, (as_list(trace_ids),))):
        found[trace_id].add(trace_id, thing)
    return {trace_id: found[trace_id] for trace_id in trace_ids}


def read_more(engine: Engine, trace_ids: Sequence[str]) -> dict[str, Known]:
    """Return what is known of those of the traces of which it is not one part and nothing else."""
    found: dict[str, Known] = {}
    for trace_id, things in engine.select(Sql(_MORE_OF, (as_list(trace_ids), PART))):
        found[trace_id] = Known()
        for thing in things:
            found[trace_id].add(trace_id, thing)
    return found


def those_there(engine: Engine, trace_ids: Sequence[str]) -> set[str]:
    """Return those of the traces that searches find."""
    return {trace_id for (trace_id,) in engine.select(Sql(_THERE, (as_list(trace_ids),)))}
