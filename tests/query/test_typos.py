"""Whatever is typed gets an answer or a clean error, with work in proportion to its length."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import islice
from types import FrameType

import pytest

from tests.query.test_language import VALID
from tests.query.typos import beginnings, check_answer_or_clean_error, typos
from tracehound.errors import FilterError
from tracehound.query.check import parse_filter

# There are a quarter of a million: every 97th of them, and all under `./dev prove`.
STEP = 1 if "TRACEHOUND_PROVE" in os.environ else 97


@pytest.mark.prove
@pytest.mark.parametrize("filter_string", VALID)
def test_every_beginning_is_valid_or_gets_a_clean_error(filter_string: str) -> None:
    for text in beginnings(filter_string):
        check_answer_or_clean_error(text)


@pytest.mark.prove
@pytest.mark.parametrize("filter_string", VALID)
def test_every_slip_of_a_finger_is_valid_or_gets_a_clean_error(filter_string: str) -> None:
    for text in islice(typos(filter_string), VALID.index(filter_string) % STEP, None, STEP):
        check_answer_or_clean_error(text)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda n: " OR ".join(["tags.a = 'x'"] * n), id="a row of comparisons"),
        pytest.param(lambda n: f"tags.a IN ({', '.join(['1'] * n)})", id="a list"),
        pytest.param(lambda n: f"tags.a IN ({', '.join(['x'] * n)})", id="a list without quotes"),
        pytest.param(lambda n: "(" * n + "tags.a = 'x'" + ")" * n, id="parentheses inside of each other"),
        pytest.param(lambda n: "(" * n, id="parentheses that stay open"),
        pytest.param(lambda n: " AND ".join(["(tags.a = 'x' OR tags.b = 'y')"] * n), id="parentheses in a row"),
        pytest.param(lambda n: "NOT (" * n + "tags.a = 'x'" + ")" * n, id="NOTs inside of each other"),
        pytest.param(lambda n: f"tags{'.x' * n} = 'x'", id="a name of many pieces"),
        pytest.param(lambda n: f"tags.a = '{chr(39) * 2 * n}", id="quotes that stay open"),
        pytest.param(lambda n: "\0" * n, id="characters that mean nothing"),
        pytest.param(lambda n: "attributes.status " * n, id="names"),
    ],
)
def test_the_work_grows_with_the_text_and_no_faster(make: Callable[[int], str]) -> None:
    assert steps(make(1600)) < 2.2 * steps(make(800)) + 500


def steps(text: str) -> int:
    """Return how many functions are called and left to parse a text."""
    count = 0

    def tell(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(tell)
    try:
        parse_filter(text, 0)
    except FilterError:
        pass
    finally:
        sys.setprofile(before)
    return count
