"""Whether a comparison is true of values: of those of a trace, of a span, or of anything else."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

from tracehound.model.record import to_json_text
from tracehound.query.numbers import number_in
from tracehound.query.patterns import make_matcher
from tracehound.query.tree import NULLS, PATTERNS, Operator, Test

COMPARE: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
}


def passes_any(test: Test, found: Sequence[Any]) -> bool:
    """Whether one comparison is true of one of a trace's values; with none of them only IS NULL is true."""
    if test.operator in NULLS:
        return (not found) == (test.operator is Operator.IS_NULL)
    return any(passes(test, value) for value in found)


def passes(test: Test, found: Any) -> bool:
    """Whether a comparison is true of a value.

    A text compares with a number as the number that it writes, and is absent to it where it writes none. TRUE and FALSE
    compare with themselves only. Feedback that is no text compares with one as its JSON.
    """
    wanted = test.value
    if isinstance(wanted, tuple):
        return all(passes(each, found) for each in test.parts)
    if isinstance(wanted, bool):
        return isinstance(found, bool) and COMPARE[test.operator](found, wanted)
    if isinstance(wanted, str):
        text = found if isinstance(found, str) else to_json_text(found)
        if test.operator in PATTERNS:
            return make_matcher(test.operator, wanted)(text)
        return COMPARE[test.operator](text, wanted)
    if isinstance(found, str):
        number = number_in(found)
        return number is not None and COMPARE[test.operator](number, float(wanted or 0))
    return type(found) in (int, float) and COMPARE[test.operator](found, wanted)
