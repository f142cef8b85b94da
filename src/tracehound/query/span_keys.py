"""Keys of spans: what an index of texts knows of single spans, so that few traces are looked at for some of them.

A key is the name of a span with something else of the same one: between which two lengths its duration is, or an
attribute with its value. So a trace that has the keys for a name that took long, and for that name with a value, is
nearly always one with such a span.
"""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracehound.model.span import Span
from tracehound.query.fields import SPAN_DURATION
from tracehound.query.passing import COMPARE
from tracehound.query.span_terms import LONGEST_CACHED, term_of_attribute, terms_of_test
from tracehound.query.tree import And, Checked, Operator, Or, Test

# A key says that a duration in ms is above one of these, and not above the next. There is one for what people ask for
# (more than a second, than five minutes), so that the keys alone answer that. Stores have them: others are a migration.
_STEPS: Final = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
EDGES: Final = (-1, *range(10), *(step * 10**power for power in range(7) for step in _STEPS), 10**8)
LONGEST_NAME: Final = 200  # characters, of which a key has no more
HASHES: Final = 2**32  # of attributes with their values: two of one number are told apart by the evaluator

_MOST: Final = 1_000  # names with a value each, to be asked for one by one
_ENDS: Final = (*EDGES[1:], math.inf)
_EDGE_TEXTS: Final = tuple(map(str, EDGES))
_RANGES: Final = (Operator.EQ, Operator.LT, Operator.LE, Operator.GT, Operator.GE)


def terms_and_keys_of(spans: Sequence[Span], durations_ms: Sequence[int | None]) -> tuple[list[int], list[str]]:
    """Return the numbers of the terms of the attributes of spans, and the keys of the spans, each once.

    A span that runs has no key for its duration.
    """
    numbers: dict[int, None] = {}
    keys: dict[str, None] = {}
    for span, duration_ms in zip(spans, durations_ms, strict=True):
        name = span.name[:LONGEST_NAME]
        if duration_ms is not None:
            keys[f"{_EDGE_TEXTS[bisect.bisect_left(EDGES, duration_ms) - 1]} {name}"] = None
        for attribute, text in span.attributes_json.items():
            of_attribute = _term_and_key_of if len(text) <= LONGEST_CACHED else _make_term_and_key_of
            made = of_attribute(name, attribute, text)
            if made is not None:
                number, key = made
                numbers[number] = keys[key] = None
    return list(numbers), list(keys)


def _make_term_and_key_of(name: str, attribute: str, text: str) -> tuple[int, str] | None:
    made = term_of_attribute(attribute, text)
    return None if made is None else (made.number, f"={made.number % HASHES} {name}")


_term_and_key_of: Final = functools.lru_cache(maxsize=4096)(_make_term_and_key_of)


@dataclass(frozen=True)
class Keys:
    """What keys say of a condition of one span: a trace with such a span has one of each of `lists`.

    A `rest` has to be true of one span, too. Without one they are `exact`, or the evaluator looks.
    """

    lists: tuple[tuple[str, ...], ...]
    rest: Checked | None
    is_exact: bool
    have_durations: bool


def keys_of(node: Checked) -> Keys | None:
    """Return what the keys of a trace say of a condition of one span; None where they say nothing."""
    children = node.children if isinstance(node, And) else (node,)
    named = next((each for each in children if _names_in(each)), None)
    durations = [each for each in children if _is_of_durations(each)]
    attributes = {number: terms for number, each in enumerate(children) if (terms := _terms_in(each))}
    if named is None or not (durations or attributes):
        return None
    names = _names_in(named)
    if len(names) * max(map(len, attributes.values()), default=1) > _MOST:
        return None
    between = [pair for pair in zip(EDGES, _ENDS, strict=True) if all(_may_last(pair, each) for each in durations)]
    lists = [tuple(f"{low} {name}" for name in names for low, _ in between)] if durations else []
    for terms in attributes.values():
        hashes = [each % HASHES for each in terms]
        # Without a name: of a trace that was stored before there were keys.
        lists.append((*(f"={each} {name}" for name in names for each in hashes), *(f"={each}" for each in hashes)))
    others = [each for number, each in enumerate(children) if number not in attributes]
    is_all = len(others) == len(durations) + 1
    is_exact = is_all and not attributes and all(len(each) < LONGEST_NAME for each in names)
    is_exact = is_exact and all(_lasts(pair, each) for pair in between for each in durations)
    rest = None if is_all and (attributes or is_exact) else others[0] if len(others) == 1 else And(tuple(others))
    return Keys(tuple(lists), rest, is_exact, bool(durations))


def _names_in(node: Checked) -> list[str]:
    """Return the names of which a span has to have one; none where anything else is asked."""
    tests = node.children if isinstance(node, Or) else (node,)
    names = [
        each.value
        for each in tests
        if isinstance(each, Test) and each.field.name == "name" and each.operator is Operator.EQ
    ]
    return [str(each)[:LONGEST_NAME] for each in names] if len(names) == len(tests) else []


def _terms_in(node: Checked) -> list[int]:
    """Return the terms of attributes of which a span has to have one; none where that is not known."""
    tests = node.children if isinstance(node, Or) else (node,)
    found = [
        terms_of_test(each) if isinstance(each, Test) and each.field.name == "attributes" else None for each in tests
    ]
    return [number for each in found if each is not None for number in each.possible] if all(found) else []


def _is_of_durations(node: Checked) -> bool:
    is_range = isinstance(node, Test) and node.field == SPAN_DURATION and node.operator in _RANGES
    return is_range and isinstance(node, Test) and isinstance(node.value, (int, float))


def _may_last(between: tuple[float, float], node: Checked) -> bool:
    """Whether one of the durations above the first and up to the second passes."""
    assert isinstance(node, Test)  # noqa: S101 - as `_is_of_durations` has seen
    low, high = between
    if node.operator is Operator.EQ:
        return COMPARE[Operator.LT](low, node.single) and COMPARE[Operator.LE](node.single, high)
    return any(COMPARE[node.operator](each, node.single) for each in (low + 1, high))


def _lasts(between: tuple[float, float], node: Checked) -> bool:
    """Whether all of these durations pass."""
    assert isinstance(node, Test)  # noqa: S101 - as `_is_of_durations` has seen
    low, high = between
    return all(COMPARE[node.operator](each, node.single) for each in (low + 1, high))
