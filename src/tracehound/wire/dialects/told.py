"""What one convention tells of a span, before it is put into our form; and what several of them tell together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tracehound.model.record import Record, to_tuple
from tracehound.wire.dialects.source import Source


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


class Names(Record, frozen=True, kw_only=True):
    """The table of a convention: which attributes say what. The first that is there counts.

    `span_types` has the values of an attribute that name the kind of span. `parameters` are ours by theirs.
    """

    span_types: dict[str, dict[str, str]] = {}  # noqa: RUF012 - msgspec copies the empty default
    request_model: tuple[str, ...] = ()
    response_model: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    session: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    usage: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - as above
    cost: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - as above
    parameters: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - as above


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
    return Told(
        span_type=_read_type(source, names.span_types),
        request_model=source.text(*names.request_model),
        response_model=source.text(*names.response_model),
        provider=source.text(*names.provider),
        inputs=source.value(*names.inputs),
        outputs=source.value(*names.outputs),
        session=source.text(*names.session),
        user=source.text(*names.user),
        usage=_told_of((name, source.count(*keys)) for name, keys in names.usage.items()),
        cost=_told_of((name, source.number(*keys)) for name, keys in names.cost.items()),
        parameters=_told_of((name, source.value(*keys)) for name, keys in names.parameters.items()),
    )


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


def _read_type(source: Source, tables: Mapping[str, Mapping[str, str]]) -> str | None:
    for key, table in tables.items():
        told = source.text(key)
        if told is not None and (found := table.get(told) or table.get(told.lower())) is not None:
            return found
    return None


def _told_of(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any] | None:
    return {name: value for name, value in pairs if value is not None} or None
