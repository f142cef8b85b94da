"""All that one store keeps -> another one, whatever they are; a copy that was interrupted goes on where it was.

How far a copy has come is kept in the store that is written to, behind what was written until then. Writing again what
is there changes nothing (`store.api`), so a copy that was killed between the two is as good as any. What is written to
the first store meanwhile may be missing, and comes with the next copy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tracehound.client.patience import write_patiently
from tracehound.errors import TAKES_NOTHING, ArgumentError, StoreDeniedError, StoreError
from tracehound.model.edit import DISCARD, OF_THE_PLACE, Change, Edit, Facts
from tracehound.model.ids import hash63
from tracehound.model.record import replace
from tracehound.model.trace import TracePart
from tracehound.store.api import Store

KIND: Final = "copy"  # of the facts that say how far one has come
_TRACES_A_STEP: Final = 200

# Called with how many traces are copied.
Tell = Callable[[int], None]


@dataclass
class Copied:
    """What has become of a copy: how many traces are there, since when, and which could not be read or stored.

    `reasons` says of some of the damaged what they lack.
    """

    traces: int = 0
    continued_at: int = 0
    damaged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)


def copy_store(source: Store, target: Store, name: str, copied: Copied, tell: Tell) -> None:
    """Copy what a store of that name keeps; `copied` says at any time what has been done.

    When this returns, all that the first store had at the call is in the other one, or among what `copied` names.
    """
    place = f"{hash63(name):016x}"
    first = _first_trace(source)
    cursor, copied.traces, noted_ns = _read_position(target, place, first)
    copied.continued_at = copied.traces
    while True:
        page = source.read_changes(cursor, _TRACES_A_STEP)
        changes = [_named(change, place) for change in page.changes if _is_copied(change)]
        _write(target, changes, copied.refused)
        copied.damaged += page.damaged
        copied.reasons.update(page.reasons)
        copied.traces += len({change.trace_id for change in changes if isinstance(change, TracePart)})
        cursor = page.next_cursor
        # Of two positions the later one counts, also where the clock ticks seldom or was put back between them.
        noted_ns = max(time.time_ns(), noted_ns + 1)
        target.write([_position(place, cursor, first, copied.traces, noted_ns)])
        tell(copied.traces)
        if cursor is None:
            break
    target.make_durable()


def _write(target: Store, changes: Sequence[Change], refused: list[str]) -> None:
    """Write changes; where they are too many at once, one half after the other; note what is never taken."""
    if not changes:
        return
    try:
        write_patiently(target, changes)
    except StoreDeniedError as error:
        if not error.refused:
            raise
        refused += [_subject(changes[number]) for number in error.refused]
        _write(target, [each for number, each in enumerate(changes) if number not in error.refused], refused)
    except ArgumentError:
        if len(changes) > 1:
            half = len(changes) // 2
            _write(target, changes[:half], refused)
            _write(target, changes[half:], refused)
        else:
            refused += [_subject(change) for change in changes]


def _subject(change: Change) -> str:
    return change.subject if isinstance(change, Facts) else change.trace_id


def _named(change: Change, place: str) -> Change:
    """Return a change with the whole name of a process of the store that is copied (`store.api`, Copies)."""
    if isinstance(change, TracePart) and change.owner is not None:
        return replace(change, owner=_whole_name(change.owner, place))
    if isinstance(change, Edit) and change.kind == DISCARD:
        return replace(change, key=_whole_name(change.key, place))
    return change


def _whole_name(process: str, place: str) -> str:
    return process if "/" in process else f"{place}/{process}"


def _first_trace(source: Store) -> str:
    """Return the id of the trace that came first: a store that was made anew has another one.

    That of a damaged store may be unreadable, for a copy as for the one that goes on with it.
    """
    try:
        found = source.arrivals(0, 1)
    except TAKES_NOTHING:
        raise
    except StoreError:
        return ""
    return found[0].info.trace_id if found else ""


def _read_position(target: Store, place: str, first: str) -> tuple[str | None, int, int]:
    """Return where to go on, how many traces are copied, and when that was noted."""
    known = target.facts(KIND, place).get(place, {})
    noted_ns = int(known.get("noted_ns", "0"))
    if known.get("first") != first or "cursor" not in known:
        return None, 0, noted_ns
    return known["cursor"], int(known.get("traces", "0")), noted_ns


def _position(place: str, cursor: str | None, first: str, traces: int, noted_ns: int) -> Facts:
    """Return what is kept of how far a copy has come; nothing when it has come to its end."""
    values = {"cursor": cursor, "first": first, "traces": str(traces), "noted_ns": str(noted_ns)}
    return Facts(KIND, place, values if cursor else dict.fromkeys(values), noted_ns)


def _is_copied(change: Change) -> bool:
    """Whether a change is of the traces: not how far a copy has come, nor who may do what in the store."""
    return not (isinstance(change, Facts) and change.kind in {KIND, *OF_THE_PLACE})
