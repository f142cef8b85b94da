"""What a call of a model cost: from a table of the user's own, else from the bundled one of `genai-prices` (an extra).

It is worked out when spans are read in, by whoever drains, so that the traced program does not wait for it; from the
tokens, the model and the time of the call, without asking anybody: the same span costs the same wherever it is read.

A table is a JSON object with a row for each model, in US dollars for a million tokens:

    {"gpt-4o-mini": {"input": 0.15, "output": 0.6, "cache_read": 0.075},
     "my-model*":   {"input": 0, "output": 0}}

A `*` stands for anything. A name without one counts before all others, then the first that matches. `cache_read` and
`cache_write` are for tokens that were read from a cache or written to one; where they are left out, `input` is.
"""

from __future__ import annotations

import fnmatch
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tracehound.errors import ArgumentError
from tracehound.model.record import Record, read_json_text, replace
from tracehound.model.reserved import SPAN_COST, SPAN_MODEL, SPAN_PROVIDER, SPAN_USAGE
from tracehound.model.span import Span, SpanType
from tracehound.model.trace import TracePart
from tracehound.model.values import decode_value, encode_value
from tracehound.wire.bundled_prices import BundledPrices, Tokens
from tracehound.wire.dialects.source import to_count, to_number
from tracehound.wire.dialects.told import CACHE_CREATION, CACHE_READ, INPUT, INPUT_COST, OUTPUT, OUTPUT_COST, TOTAL_COST

_MILLION: Final = 1_000_000
_KEYS: Final = ("input", "output", "cache_read", "cache_write")
_logger = logging.getLogger("tracehound.wire")


class Price(Record, frozen=True):
    """What a model takes, in US dollars for a million tokens."""

    input: float
    output: float
    cache_read: float
    cache_write: float


class Prices:
    """Puts costs on the spans that lack them. The tables are read when the first such span comes."""

    def __init__(self, path: str | None = None) -> None:
        self._path = path
        self._table: Mapping[str, Price] | None = None
        self._bundled: BundledPrices | None = None

    def priced(self, part: TracePart) -> TracePart:
        """Return the part with the cost of each call whose tokens and model are known; the part itself if none is."""
        for span in part.spans:
            if SPAN_USAGE in span.attributes_json and SPAN_COST not in span.attributes_json:
                break
        else:
            return part
        spans = [self._priced_span(span) for span in part.spans]
        is_same = all(after is before for after, before in zip(spans, part.spans, strict=True))
        return part if is_same else replace(part, spans=spans)

    def _priced_span(self, span: Span) -> Span:
        texts = span.attributes_json
        if SPAN_USAGE not in texts or SPAN_MODEL not in texts or SPAN_COST in texts or span.span_type == SpanType.AGENT:
            return span
        tokens = read_tokens(decode_value(texts[SPAN_USAGE]))
        model, provider = (decode_value(texts.get(key, "null")) for key in (SPAN_MODEL, SPAN_PROVIDER))
        if tokens is None or not isinstance(model, str) or not model:
            return span
        cost = self._cost_of(model, provider if isinstance(provider, str) else None, tokens, span.start_time_ns)
        if cost is None:
            return span
        told = {INPUT_COST: cost[0], OUTPUT_COST: cost[1], TOTAL_COST: cost[0] + cost[1]}
        return replace(span, attributes_json={**texts, SPAN_COST: encode_value(told)})

    def _cost_of(self, model: str, provider: str | None, tokens: Tokens, at_ns: int) -> tuple[float, float] | None:
        """Return what went in and what came out cost, in US dollars; None where nobody knows."""
        if self._table is None:
            self._table, self._bundled = _read_table(self._path), _load_bundled()
        price = find_price(self._table, model)
        if price is None:
            return None if self._bundled is None else self._bundled.cost_of(model, provider, tokens, at_ns)
        plain = tokens.input - tokens.cache_read - tokens.cache_write
        cached = tokens.cache_read * price.cache_read + tokens.cache_write * price.cache_write
        return (plain * price.input + cached) / _MILLION, tokens.output * price.output / _MILLION


def read_tokens(usage: Any) -> Tokens | None:
    """Return the tokens that a span tells of; None where it tells nothing that costs.

    Of some providers the input counts what came from the cache, of others not: where less went in than came from the
    cache, it does not.
    """
    if not isinstance(usage, dict):
        return None
    names = (INPUT, OUTPUT, CACHE_READ, CACHE_CREATION)
    given, made, cache_read, cache_write = (to_count(usage.get(name)) or 0 for name in names)
    if cache_read + cache_write > given:
        given += cache_read + cache_write
    return Tokens(given, made, cache_read, cache_write) if given or made else None


def parse_prices(text: str) -> dict[str, Price]:
    """Return the table that a text holds; raise `ArgumentError`, which says what is wrong where.

    >>> parse_prices('{"m": {"input": 2, "output": 8}}')["m"]
    Price(input=2, output=8, cache_read=2, cache_write=2)
    """
    try:
        table = read_json_text(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"it is no JSON: {error}") from error
    if not isinstance(table, dict):
        raise ArgumentError('it is a JSON object with a row for each model: {"gpt-4o": {"input": 2.5, "output": 10}}')
    return {model: _parse_price(model, row) for model, row in table.items()}


def find_price(table: Mapping[str, Price], model: str) -> Price | None:
    """Return the row of a model: that of its name, else the first whose pattern it matches."""
    found = table.get(model)
    if found is not None:
        return found
    return next((price for name, price in table.items() if "*" in name and fnmatch.fnmatchcase(model, name)), None)


def _parse_price(model: str, row: Any) -> Price:
    if not isinstance(row, dict):
        raise ArgumentError(f'the row of {model!r} is an object such as {{"input": 2.5, "output": 10}}, not {row!r}')
    unknown = sorted(row.keys() - set(_KEYS))
    if unknown:
        raise ArgumentError(f"the row of {model!r} has {unknown[0]!r}; what it may have is {', '.join(_KEYS)}")
    found: dict[str, float] = {}
    for key in _KEYS:
        given = row.get(key, row.get("input") if key.startswith("cache") else None)
        price = to_number(given)
        if price is None or price < 0:
            said = f"not {given!r}" if key in row else "and is missing"
            raise ArgumentError(f"{key!r} in the row of {model!r} is US dollars for a million tokens, {said}")
        found[key] = price
    return Price(**found)


def _read_table(path: str | None) -> dict[str, Price]:
    """Return the user's table; where it cannot be read, say so once and do without."""
    if path is None:
        return {}
    try:
        return parse_prices(Path(path).read_text("utf-8"))
    except (OSError, UnicodeError, ArgumentError) as error:
        _logger.warning("the prices in %s (TRACEHOUND_PRICES) are not used: %s", path, error)
        return {}


def _load_bundled() -> BundledPrices | None:
    """Return the bundled table, which is slow to load; None where it is not installed."""
    try:
        return BundledPrices()
    except ImportError:
        return None
