"""Where a copy of a store has come to: what a store keeps is read in one order, and a cursor names a place in it.

Traces come first, each with its parts and edits, in the order of their arrival: new ones are at the end. Then what is
of no trace that is there: edits that wait, tombstones, facts. A cursor belongs to the store that it is of.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TypeAlias

from tracehound.errors import ArgumentError
from tracehound.model.record import DecodeError, from_json, to_json

Key: TypeAlias = "tuple[int | str, ...]"


class Stage(IntEnum):
    """What is read, in this order; the key of each thing says where among its like it stands."""

    TRACES = 0
    WAITING_EDITS = 1
    TOMBSTONES = 2
    FACTS = 3


_WIDTHS = {Stage.TRACES: 1, Stage.WAITING_EDITS: 3, Stage.TOMBSTONES: 1, Stage.FACTS: 3}
_FIRST: dict[Stage, Key] = {Stage.TRACES: (0,)}  # before all keys; elsewhere empty texts are


def to_cursor(stage: Stage, key: Key) -> str:
    """Return the cursor behind a thing; `read_cursor` is the inverse.

    >>> read_cursor(to_cursor(Stage.TOMBSTONES, ("tr-1",)))
    (<Stage.TOMBSTONES: 2>, ('tr-1',))
    """
    return to_json([stage, *key]).decode()


def read_cursor(text: str | None) -> tuple[Stage, Key]:
    """Return the place behind which to go on: the beginning without one. Raise `ArgumentError` for no cursor."""
    if text is None:
        return begin(Stage.TRACES)
    try:
        number, *key = from_json(text.encode())
        stage = Stage(number)
    except (DecodeError, UnicodeEncodeError, TypeError, ValueError) as error:
        raise ArgumentError(f"{text!r} is no cursor of a copy") from error
    kind = int if stage is Stage.TRACES else str
    if len(key) != _WIDTHS[stage] or not all(type(each) is kind for each in key):
        raise ArgumentError(f"{text!r} is no cursor of a copy")
    return stage, tuple(key)


def begin(stage: Stage) -> tuple[Stage, Key]:
    """Return the place before all things of a stage."""
    return stage, _FIRST.get(stage, ("",) * _WIDTHS[stage])


def cursor_behind(stage: Stage, keys: Sequence[Key], *, has_more: bool) -> str | None:
    """Return the cursor behind what was read of a stage, or before the next stage; None behind the last."""
    if has_more:
        return to_cursor(stage, keys[-1])
    return None if stage is Stage.FACTS else to_cursor(*begin(Stage(stage + 1)))
