"""Any value becomes JSON text at once, and none makes capture raise."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import json
import math
import re
from collections import deque
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traces import part, span
from tracehound.model.limits import fit_part
from tracehound.model.record import replace, to_msgpack
from tracehound.model.values import decode_value, encode_value, to_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Model:
    """Looks like a pydantic model to who asks by `model_dump`."""

    def model_dump(self) -> dict[str, Any]:
        return {"question": "why?"}


class Broken:
    """Raises whatever one asks of it."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@dataclasses.dataclass
class Point:
    x: int
    y: Any


@given(JSON)
def test_what_json_can_hold_comes_back_as_it_went_in(value: Any) -> None:
    assert decode_value(encode_value(value)) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Model(), {"question": "why?"}),
        (Point(1, Point(2, None)), {"x": 1, "y": {"x": 2, "y": None}}),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.float32(0.5), 0.5),
        (pd.DataFrame({"a": [1, 2], "t": pd.Timestamp(0)}), [{"a": a, "t": "1970-01-01T00:00:00"} for a in (1, 2)]),
        (pd.Series([1, 2]), [1, 2]),
        (pd.Timestamp("2025-01-02", tz="UTC"), "2025-01-02T00:00:00+00:00"),
        (deque([1, 2]), [1, 2]),
        (datetime.datetime(2025, 1, 2, 3, tzinfo=datetime.timezone.utc), "2025-01-02T03:00:00Z"),
        (decimal.Decimal("1.50"), "1.50"),
        (b"\x00\xff", "AP8="),
        ({1}, [1]),
        ({(1, 2): "tuple", "lone \ud800": "\ud800"}, {"(1, 2)": "tuple", "lone ?": "?"}),
        ([2**80, math.inf, math.nan, object], [2**80, None, None, "<class 'object'>"]),
        ({"broken": Broken(), "kept": 1}, {"broken": "<Broken whose repr raises>", "kept": 1}),
        (ValueError("wrong"), "ValueError('wrong')"),
    ],
)
def test_values_of_other_kinds_are_shown(value: object, shown: object) -> None:
    assert decode_value(encode_value(value)) == shown


def test_a_value_that_contains_itself_is_shown_up_to_there() -> None:
    value: dict[str, Any] = {"name": "ring"}
    value["self"] = [value]
    assert decode_value(encode_value(value)) == {"name": "ring", "self": ["<circular reference>"]}


def test_a_value_nested_without_end_is_cut() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    assert "nested too deep" in encode_value(value)


def test_a_large_value_is_cut_and_says_so() -> None:
    shown = decode_value(encode_value(["é" * 50_000], max_bytes=1001))
    assert shown.startswith('["ééé')
    assert shown.endswith("… [cut: 100004 bytes, 1001 kept]")
    text = decode_value(encode_value("é" * 50_000, max_bytes=1001))
    assert text == "é" * 500 + "… [cut: 50000 characters, 500 kept]"


def test_of_a_mapping_that_is_too_large_the_large_values_are_cut_and_the_others_kept() -> None:
    value = {"question": "why?", "document": "x" * 50_000_000, "more": {"page": "y" * 900, "number": 7}}
    shown = decode_value(encode_value(value, max_bytes=5000))
    assert (shown["question"], shown["more"]) == ("why?", {"page": "y" * 900, "number": 7})
    assert re.fullmatch(r"x{2000,4000}… \[cut: 50000000 characters, \d+ kept\]", shown["document"])
    nested = decode_value(encode_value({"arguments": value, "list": [0] * 10_000}, max_bytes=5000))
    assert nested["arguments"]["more"]["number"] == 7
    assert nested["list"].startswith("[0,0,0")


@settings(max_examples=50)
@given(
    st.dictionaries(st.text(max_size=9), st.text() | st.lists(st.integers()) | st.dictionaries(st.text(), st.text())),
    st.integers(10, 300),
)
def test_a_mapping_is_never_much_larger_than_it_may_be(value: dict[str, Any], max_bytes: int) -> None:
    text = encode_value(value, max_bytes)
    assert len(text.encode()) <= 2 * max_bytes + 700
    decode_value(text)


@pytest.mark.parametrize(
    "large", [np.zeros((3000, 1000)), pd.DataFrame(np.zeros((300_000, 10)))], ids=["array", "frame"]
)
def test_of_a_large_array_or_frame_the_first_rows_are_shown(large: Any) -> None:
    shown = decode_value(encode_value(large))
    assert shown["type"] in ("numpy.ndarray", "pandas.core.frame.DataFrame", "pandas.DataFrame")
    assert shown["shape"] == list(large.shape)
    assert len(shown.get("first 10 of 3000") or shown["first 1000 of 300000"]) in (10, 1000)


@pytest.mark.parametrize(("value", "text"), [("as it is", "as it is"), (3, "3"), (True, "true"), ({"a": 1}, '{"a":1}')])
def test_tag_values_become_text(value: object, text: str) -> None:
    assert to_text(value) == text


def test_later_changes_do_not_reach_what_was_encoded() -> None:
    value = {"list": [1]}
    text = encode_value(value)
    value["list"].append(2)
    assert json.loads(text) == {"list": [1]}


def test_objects_that_all_refer_to_each_other_are_shown_up_to_a_limit() -> None:
    nodes: list[dict[str, Any]] = [{"number": number} for number in range(20)]
    for node in nodes:
        node["others"] = [each for each in nodes if each is not node]
    shown = encode_value(nodes[0], max_bytes=10_000)  # in as many ways as there are, this would take years
    assert "cut:" in shown
    points = [Point(number, None) for number in range(20)]
    for point in points:
        point.y = points
    assert decode_value(encode_value(points[0], max_bytes=10_000))


def test_of_a_mapping_with_very_many_keys_the_beginning_is_kept() -> None:
    shown = decode_value(encode_value({str(number): number for number in range(300_000)}, max_bytes=1000))
    assert shown.startswith('{"0":0,"1":1')


def test_of_long_bytes_the_beginning_is_kept() -> None:
    assert decode_value(encode_value(b"x" * 10_000, max_bytes=400)).endswith("… [cut: 10000 bytes, 300 kept]")


def test_a_part_that_is_too_large_loses_its_largest_values() -> None:
    small, large = span(1), span(2, parent=1)
    large = replace(large, inputs_json=f'"{"x" * 5000}"', attributes_json={"a": f'"{"y" * 3000}"', "b": '"short"'})
    fitted = fit_part(part(small, large), 2000)
    assert fitted.spans[0] == small
    assert fitted.spans[1].inputs.startswith("… [left out: 5002 bytes")
    assert fitted.spans[1].attributes["a"].startswith("… [left out: 3002 bytes")
    assert fitted.spans[1].attributes["b"] == "short"
    assert len(to_msgpack(fitted)) < 2000
