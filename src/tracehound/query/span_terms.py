"""Terms of spans: which spans of a trace have a value, as a mask with a bit for each.

The bit of a number stands for the span of that number, in the order of results; the last one for all others, so that
what is asked of one span is not certain there. A condition of one span is true of the spans between two masks: those
that certainly pass, and those that may.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracehound.model.record import to_json_text
from tracehound.model.span import INPUTS, OUTPUTS, SPAN_TYPE, TRACE_REQUEST_ID, Span
from tracehound.model.values import decode_value
from tracehound.query.fields import SPAN_DURATION, Field, Group
from tracehound.query.passing import COMPARE
from tracehound.query.terms import MAX_INDEXED_CHARACTERS, Term, durations_of, term, to_term
from tracehound.query.tree import Checked, Operator, Scope, Test

SHARED_BIT: Final = 1 << 62
OWN_BITS: Final = SHARED_BIT - 1

_KIND: Final = Group.SPAN.value
_PLAIN: Final = ("name", "type", "status")
_ATTRIBUTES: Final = "attributes"
_EXACT: Final = 2**53  # a number beyond compares with others as itself, and not as the double that its text means
_OUTSIDE: Final = (INPUTS, OUTPUTS, SPAN_TYPE, TRACE_REQUEST_ID)  # attributes that a span keeps apart from the others
_RANGES: Final = (Operator.EQ, Operator.LT, Operator.LE, Operator.GT, Operator.GE)
_MAX_BITS: Final = 45  # of a duration in ms that has a term: a thousand years


def add_span_terms(found: dict[Term, int], spans: Sequence[Span]) -> None:
    """Add the terms of the spans of a trace, each with its mask."""
    known = found.get
    bit = 1
    for span in spans:
        bits = None
        if span.end_time_ns is not None:
            duration_ms = (span.end_time_ns - span.start_time_ns) // 1_000_000
            bits = 0 if duration_ms < 0 else duration_ms.bit_length()
            if bits > _MAX_BITS:  # noqa: PLR1730 - a call of `min` for each span takes a twentieth of all of this
                bits = _MAX_BITS
        for each in _plain_terms(span.name, span.span_type, span.status.status_code._value_, bits):
            found[each] = known(each, 0) | bit
        for key, text in span.attributes_json.items():
            of_attribute = _term_of_attribute if len(text) <= LONGEST_CACHED else _make_term_of_attribute
            made = of_attribute(key, text)
            if made is not None:
                found[made] = known(made, 0) | bit
        if bit < SHARED_BIT:
            bit <<= 1


def attribute_terms_of(spans: Sequence[Span]) -> list[int]:
    """Return the numbers of the terms of the attributes of spans, each once."""
    found: dict[int, None] = {}
    for span in spans:
        for key, text in span.attributes_json.items():
            made = term_of_attribute(key, text)
            if made is not None:
                found[made.number] = None
    return list(found)


def term_of_attribute(key: str, text: str) -> Term | None:
    """Return the term of an attribute of a span, whose value is a text of JSON; None for a value that says nothing."""
    return (_term_of_attribute if len(text) <= LONGEST_CACHED else _make_term_of_attribute)(key, text)


def durations_of_spans(spans: Sequence[Span]) -> list[int | None]:
    """Return how long each span took, in ms, None for one that runs."""
    return [
        None if span.end_time_ns is None else max(0, span.end_time_ns - span.start_time_ns) // 1_000_000
        for span in spans
    ]


def durations_mask(durations_ms: Sequence[int | None], operator: str, value: float) -> int:
    """Return the mask of the spans whose duration passes a comparison.

    >>> durations_mask([5, None, 7, 4], ">=", 5)
    5
    """
    passes = COMPARE[Operator(operator)]
    mask, bit = 0, 1
    for duration_ms in durations_ms:
        if duration_ms is not None and passes(duration_ms, value):
            mask |= bit
        bit = min(bit << 1, SHARED_BIT)
    return mask


@functools.lru_cache(maxsize=4096)
def _plain_terms(name: str, span_type: str | None, status: str, bits: int | None) -> tuple[Term, ...]:
    """Return the terms of what every span has; `bits` is how many the duration has of one that has ended.

    The term of a duration has the name of the span as well: by the two of them slow steps are found.
    """
    found = [to_term(_KIND, "name", name), to_term(_KIND, "status", status)]
    if span_type is not None:
        found.append(to_term(_KIND, "type", span_type))
    if bits is not None:
        found.append(to_term(_KIND, SPAN_DURATION.name, f"{bits} {name}"))
    return tuple(found)


def may_last(test: Test, value: str | None, name: str | None) -> bool:
    """Whether a span that has the term of this value may pass a comparison of durations, and have the name, if any."""
    if value is None or not isinstance(test.value, (int, float)):
        return True
    bits, _, its_name = value.partition(" ")
    if name is not None and its_name != name:
        return False
    least, greatest = durations_of(bits)
    if int(bits) == _MAX_BITS or (test.operator is Operator.EQ and least <= test.value <= greatest):
        return True
    return test.operator not in _RANGES or any(COMPARE[test.operator](each, test.value) for each in (least, greatest))


LONGEST_CACHED: Final = 2 * MAX_INDEXED_CHARACTERS  # of the JSON of an attribute


def _make_term_of_attribute(key: str, text: str) -> Term | None:
    """Return the term of an attribute: of what is no single value that one for all of its long values."""
    value = decode_value(text)
    if value is None:
        return None
    is_number = type(value) in (int, float)
    if isinstance(value, (dict, list)) or (is_number and not abs(value) < _EXACT):  # not: NaN is less than nothing
        return long_term(f"{_ATTRIBUTES}.{key}")
    return to_term(_KIND, f"{_ATTRIBUTES}.{key}", value if isinstance(value, str) else to_json_text(value))


_term_of_attribute: Final = functools.lru_cache(maxsize=4096)(_make_term_of_attribute)


@functools.lru_cache(maxsize=1024)
def long_term(key: str) -> Term:
    """Return the term for all values of a key of spans that have no own one."""
    return Term(_KIND, key, term(Group.SPAN, key, None), None)


@dataclass(frozen=True)
class Terms:
    """Of the spans of which a comparison is true each has a term of `own` or `others`; of those of `certain` it is.

    A span has one of `own` at most, and so of `certain`.
    """

    own: tuple[int, ...]
    others: tuple[int, ...]
    certain: tuple[int, ...]

    @property
    def are_exact(self) -> bool:
        """Whether it is true of all spans that have one of the terms."""
        return not self.others and self.own == self.certain

    @property
    def possible(self) -> tuple[int, ...]:
        """All of them."""
        return self.own + self.others


def terms_of_test(test: Test) -> Terms | None:
    """Return the terms of a comparison of one span; None where the index does not know them."""
    key = key_of_span(test.field)
    if test.operator is not Operator.EQ or not isinstance(test.value, str) or key is None:
        return None
    others = [long_term(each).number for each in (*keys_above(test.field), key)] if test.field.path else []
    if len(test.value) > MAX_INDEXED_CHARACTERS:
        return Terms((), tuple(others) or (long_term(key).number,), ())
    own = (term(Group.SPAN, key, test.value),)
    return Terms(own, tuple(others), own)


def terms_of_tests(nodes: Sequence[Checked]) -> list[Terms | None]:
    """Return the terms of those nodes that are comparisons, of one field joined: any of them may be true."""
    joined: dict[Field, Terms] = {}
    found: list[Terms | None] = []
    for node in nodes:
        if not isinstance(node, Test):
            continue
        terms = terms_of_test(node)
        if terms is None or node.operator is not Operator.EQ:
            found.append(terms)
            continue
        known = joined.get(node.field, Terms((), (), ()))
        joined[node.field] = Terms(
            known.own + terms.own, tuple(dict.fromkeys(known.others + terms.others)), known.certain + terms.certain
        )
    return [*found, *joined.values()]


def needs_spans(scope: Scope[Test]) -> bool:
    """Whether a scope can only be true of a trace that has each of the spans that it asks for."""
    return scope.count is None or not COMPARE[scope.count.operator](0, scope.count.number)


def key_of_span(field: Field) -> str | None:
    """Return under which key the index has the values of a field of spans; None for one that it does not have."""
    if field.name == _ATTRIBUTES:
        return None if is_kept_apart(field) else f"{_ATTRIBUTES}.{'.'.join(field.path)}"
    return field.name if field.name in _PLAIN else None


def is_kept_apart(field: Field) -> bool:
    """Whether a field is an attribute that a span does not keep among the others, or may lead into one."""
    keys = (".".join(field.path[:end]) for end in range(1, len(field.path) + 1))
    return field.name == _ATTRIBUTES and any(key in _OUTSIDE for key in keys)


def keys_above(field: Field) -> list[str]:
    """Return the keys of the attributes in which the path of a field may lead to a value."""
    return [f"{_ATTRIBUTES}.{'.'.join(field.path[:end])}" for end in range(1, len(field.path))]
