"""A search: which traces, in which order, how many, from where on.

Order is total: after the keys that were asked for come the newest first, then the trace id. So a position in a result
is a list of values (a keyset), and the next page begins behind it whatever was added meanwhile.
"""

from __future__ import annotations

import base64
import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from tracehound.errors import ArgumentError, FilterError
from tracehound.model.ids import hash63
from tracehound.model.record import DecodeError, from_json, to_json
from tracehound.query.check import parse_filter
from tracehound.query.expand import expand
from tracehound.query.fields import ASSESSED, TIMESTAMP, TRACE_ID, Field, Kind
from tracehound.query.limit import SearchLimit
from tracehound.query.names import resolve_bare, to_name
from tracehound.query.tokens import Reader, TokenKind, tokenize
from tracehound.query.tree import And, Checked

DEFAULT_LIMIT: Final = 100
_EXPERIMENT_ID: Final = re.compile(r"0|[1-9][0-9]{0,18}")
KeyValue: TypeAlias = str | int | float | None


@dataclass(frozen=True)
class OrderKey:
    """A field to sort by; traces that lack it come last in either direction."""

    field: Field
    descending: bool


@dataclass(frozen=True)
class Search:
    """A checked search. `after` holds the values of the order's keys at the trace behind which the page begins.

    `now_ms` is what `now()` in the filter meant; cursors carry it, so that it means the same for every page.
    `time_limit` is shared by all searches that are made of this one.
    """

    experiment_ids: tuple[str, ...]
    where: Checked | None
    order: tuple[OrderKey, ...]
    limit: int
    after: tuple[KeyValue, ...] | None
    fingerprint: int
    now_ms: int
    time_limit: SearchLimit | None = field(default=None, compare=False)

    def cursor(self, last: Sequence[KeyValue]) -> str:
        """Return the cursor behind a trace with these values of the order's keys."""
        return base64.urlsafe_b64encode(to_json([self.fingerprint, self.now_ms, *last])).decode("ascii")

    def narrowed(self, *conditions: Checked) -> Search:
        """Return the search for those of its traces that the conditions are true of, too; its cursors are its own."""
        joined: list[Checked] = []
        more = [expand(each) for each in conditions]
        for each in more if self.where is None else [self.where, *more]:
            joined += each.children if isinstance(each, And) else [each]
        if not joined:
            return self
        where = joined[0] if len(joined) == 1 else And(tuple(joined))
        return replace(self, where=where, fingerprint=hash63(str(self.fingerprint), *map(repr, conditions)))

    def behind(self, cursor: str) -> Search:
        """Return the same search from a cursor on; raise `ArgumentError` for a cursor of another search."""
        _, after = _parse_cursor(cursor, self.fingerprint)
        if len(after) != len(self.order) or not all(map(_fits, self.order, after)):
            raise ArgumentError(f"page_token {cursor!r} is not one that a search returned")
        return replace(self, after=after)


def parse_search(
    experiment_ids: Sequence[str],
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
    now_ms: int | None = None,
    read: Reader = tokenize,
) -> Search:
    """Return the search that the texts ask for; raise `FilterError` or `ArgumentError` where they are wrong.

    `now()` in the filter is the time that the cursor's first page was asked for, without one the time given, else the
    present one.
    """
    for experiment_id in experiment_ids:
        _check_experiment_id(experiment_id)
    fingerprint = hash63(*experiment_ids, "filter", filter_string or "", "order", *(order_by or ()))
    if cursor is not None:
        now_ms, _ = _parse_cursor(cursor, fingerprint)
    elif now_ms is None:
        now_ms = time.time_ns() // 1_000_000
    search = Search(
        experiment_ids=tuple(dict.fromkeys(experiment_ids)),
        where=expand(parse_filter(filter_string, now_ms, read)) if filter_string else None,
        order=parse_order(order_by or (), read),
        limit=limit,
        after=None,
        fingerprint=fingerprint,
        now_ms=now_ms,
    )
    return search if cursor is None else search.behind(cursor)


def _check_experiment_id(experiment_id: object) -> None:
    """Raise unless the id is one that an experiment can have: the decimal of a 63-bit number."""
    is_number = isinstance(experiment_id, str) and _EXPERIMENT_ID.fullmatch(experiment_id) is not None
    if not is_number or int(str(experiment_id)) >= 2**63:
        raise ArgumentError(f"experiment_ids holds {experiment_id!r}; an id is a number in a string, such as '0'")


def parse_order(texts: Sequence[str], read: Reader = tokenize) -> tuple[OrderKey, ...]:
    """Return the keys of an order, made total: newest first, then by trace id.

    Each text is `field [ASC|DESC]`; attributes may stand without their prefix. A field named again adds nothing.
    """
    keys: dict[Field, OrderKey] = {}
    for text in texts:
        key = _parse_order_key(text, read)
        keys.setdefault(key.field, key)
    keys.setdefault(TIMESTAMP, OrderKey(TIMESTAMP, descending=True))
    keys.setdefault(TRACE_ID, OrderKey(TRACE_ID, descending=False))
    return tuple(keys.values())


def _parse_order_key(text: str, read: Reader) -> OrderKey:
    """order = field [ ASC | DESC ]"""
    tokens = read(text)
    direction = tokens[-2].value.upper() if len(tokens) > 2 and tokens[-3].kind is not TokenKind.DOT else ""
    has_direction = direction in ("ASC", "DESC")
    name = to_name(tokens[: -2 if has_direction else -1])
    if name is None:
        raise FilterError("an order is a field, then ASC or DESC", text, 0, len(text))
    field = resolve_bare(name, text)
    if field.group in ASSESSED:
        raise FilterError("of feedback there may be several for a trace: nothing is ordered by it", text, 0, name.end)
    return OrderKey(field, direction == "DESC")


def _parse_cursor(cursor: str, fingerprint: int) -> tuple[int, tuple[KeyValue, ...]]:
    """Return the time and the values that `Search.cursor` wrote; a cursor belongs to one search."""
    found = _read_cursor(cursor)
    if found[0] != fingerprint:
        raise ArgumentError("page_token belongs to another search: keep experiments, filter and order as they were")
    return found[1], tuple(found[2:])


def cursor_time_ms(cursor: str) -> int:
    """Return what `now()` meant in the search that a cursor is of; raise `ArgumentError` for what is no cursor."""
    return int(_read_cursor(cursor)[1])


def _read_cursor(cursor: str) -> list[Any]:
    """Return what a cursor holds: a fingerprint, a time, and values."""
    try:
        found: Any = from_json(base64.urlsafe_b64decode(cursor))
    except (TypeError, ValueError, DecodeError):
        found = None
    if not isinstance(found, list) or len(found) < 2 or not _is_whole(found[1]):
        raise ArgumentError(f"page_token {cursor!r} is not one that a search returned")
    return found


def _fits(key: OrderKey, value: object) -> bool:
    """Whether a cursor may have the value for a key of the order."""
    if value is None:
        return key.field.nullable
    if key.field.kind is Kind.NUMBER and type(value) is float:
        return math.isfinite(value)
    return _is_whole(value) if key.field.kind in (Kind.TIME, Kind.NUMBER) else type(value) is str


def _is_whole(value: object) -> bool:
    """Whether the value is a whole number that every store can compare with."""
    return type(value) is int and abs(value) < 2**62
