"""What one convention tells of a span, before it is put into our form; and what several of them tell together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tracehound.model.record import Record, to_tuple
from tracehound.model.values import decode_value
from tracehound.wire.dialects.source import Source, to_count, to_number, to_told_text, unwrap


class Told(Record, frozen=True):
    """What a span says in one convention; None is what it does not say.

    `messages` and `choices` are in our form (`messages`), `inputs` and `outputs` as they came; `usage`, `cost` and
    `parameters` have our names; `first_token_s` is how long the first token took; `labels`, `metadata` and
    `trace_name` are about the whole trace.
    """

    usage: dict[str, int] | None = None
    cost: dict[str, float] | None = None
    parameters: dict[str, Any] | None = None
    metadata: dict[str, str] | None = None
    span_type: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    provider: str | None = None
    messages: list[dict[str, Any]] | None = None
    choices: list[dict[str, Any]] | None = None
    inputs: Any = None
    outputs: Any = None
    tools: list[dict[str, Any]] | None = None
    finish_reasons: list[str] | None = None
    first_token_s: float | None = None
    session: str | None = None
    user: str | None = None
    trace_name: str | None = None
    labels: list[str] | None = None


@dataclass(frozen=True)
class Dialect:
    """A convention: its name, the attributes that give it away, and what reads them.

    `markers` are whole keys: spans without any of them, which are nearly all, must cost next to nothing.
    """

    name: str
    markers: frozenset[str]
    read: Callable[[Source], Told]


@dataclass(frozen=True)
class _Cell:
    """What one attribute says: a field of `Told`, or a key of one that is a mapping. A lower rank counts first."""

    field: str
    key: str | None
    rank: int
    read: Callable[[Any], Any]


class Names:
    """The table of a convention: which attributes say what. The first that is there counts.

    `span_types` has the values of an attribute that name the kind of span. `usage`, `cost` and `parameters` are by our
    names. It is looked through by what a span has, which is less than what a convention has.
    """

    def __init__(
        self,
        *,
        span_types: Mapping[str, Mapping[str, str]] | None = None,
        usage: Mapping[str, Sequence[str]] | None = None,
        cost: Mapping[str, Sequence[str]] | None = None,
        parameters: Mapping[str, Sequence[str]] | None = None,
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
        **texts: Sequence[str],
    ) -> None:
        self.cells: dict[str, list[_Cell]] = {}
        for rank, (attribute, types) in enumerate((span_types or {}).items()):
            self._add("span_type", None, (attribute,), _reader_of_types(types), rank)
        for field, attributes in texts.items():
            self._add(field, None, attributes, to_told_text)
        for field, attributes in (("inputs", inputs), ("outputs", outputs)):
            self._add(field, None, attributes, unwrap)
        mappings = (("usage", usage, to_count), ("cost", cost, to_number), ("parameters", parameters, unwrap))
        for field, names, read in mappings:
            for key, attributes in (names or {}).items():
                self._add(field, key, attributes, read)

    def _add(
        self, field: str, key: str | None, attributes: Sequence[str], read: Callable[[Any], Any], first: int = 0
    ) -> None:
        for rank, attribute in enumerate(attributes, first):
            self.cells.setdefault(attribute, []).append(_Cell(field, key, rank, read))


INPUT: Final = "input_tokens"
OUTPUT: Final = "output_tokens"
TOTAL: Final = "total_tokens"
CACHE_READ: Final = "cache_read_input_tokens"
CACHE_CREATION: Final = "cache_creation_input_tokens"
REASONING: Final = "reasoning_tokens"
INPUT_COST: Final = "input_cost"
OUTPUT_COST: Final = "output_cost"
TOTAL_COST: Final = "total_cost"


def read_named(source: Source, names: Names) -> Told:
    """Return what the attributes of a table say."""
    found: dict[str, Any] = {}
    ranks: dict[tuple[str, str | None], int] = {}
    for attribute in names.cells.keys() & source.texts.keys():
        plain = decode_value(source.texts[attribute])
        for cell in names.cells[attribute]:
            place = (cell.field, cell.key)
            if ranks.get(place, cell.rank) < cell.rank or (value := cell.read(plain)) is None:
                continue
            ranks[place] = cell.rank
            if cell.key is None:
                found[cell.field] = value
            else:
                found.setdefault(cell.field, {})[cell.key] = value
    return Told(**found)


def together(tolds: Sequence[Told]) -> Told:
    """Return what several conventions tell of one span: each thing from the first that tells it.

    >>> two = [Told(usage={"input_tokens": 1}), Told(usage={"input_tokens": 2, "total_tokens": 3}, user="me")]
    >>> both = together(two)
    >>> both.usage, both.user
    ({'input_tokens': 1, 'total_tokens': 3}, 'me')
    """
    if len(tolds) == 1:
        return tolds[0]
    # As tuples: this is done for every foreign span, and looking at the fields by name takes five times as long.
    first, *others = map(to_tuple, tolds)
    for other in others:
        mixed = [{**b, **a} if a and b else a or b for a, b in zip(first[:_MIXED], other[:_MIXED], strict=True)]
        rest = zip(first[_MIXED:], other[_MIXED:], strict=True)
        first = (*mixed, *[b if a is None else a for a, b in rest])
    return Told(*first)


_MIXED: Final = 4  # the first fields of `Told`: mappings, of which each key is a thing of its own


def _reader_of_types(types: Mapping[str, str]) -> Callable[[Any], str | None]:
    def read(value: Any) -> str | None:
        return types.get(value, types.get(value.lower())) if isinstance(value, str) else None

    return read
