"""Traces in a page of HTML come back exactly, and nothing in them can be taken for a part of the page."""

from __future__ import annotations

import io
import re
from base64 import b64encode
from html.parser import HTMLParser
from zlib import compress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model.trace_strategies import TRACES
from tests.traces import part, span
from tracehound.entities import Feedback, Trace, TraceLocation
from tracehound.errors import ArgumentError, MissingExtraError
from tracehound.model import viewer
from tracehound.model.merge import merge_parts
from tracehound.model.record import replace
from tracehound.model.viewer import needed_viewer_page, read_page, write_page

# What stands in for the built page: it needs npm, and `tests/page` looks at it.
PAGE = b"<!doctype html><html><body><div></div>\n<!-- traces -->\n<script>show()</script></body></html>\n"
HOSTILE = "</script><!-- <script> \u2028 \u2029 & \" ' \x00 \\ ]]> <!-- traces -->"


STEP = (merge_parts([part(span(1))]), "Default")


def written(*traces: tuple[Trace, str]) -> bytes:
    out = io.BytesIO()
    write_page(PAGE, traces, out)
    return out.getvalue()


@given(st.lists(st.tuples(TRACES, st.text(st.characters(codec="utf-8"))), max_size=3))
def test_traces_come_back_as_they_were(traces: list[tuple[Trace, str]]) -> None:
    assert list(read_page(written(*traces))) == traces


def test_what_only_files_of_mlflow_have_comes_back_too() -> None:
    found = merge_parts([part(span(1))])
    lone = replace(found.data.spans[0], trace_id="other", otel_trace_id="0" * 32, name="\ud800", kind="")
    place = TraceLocation.from_dict({"type": "UC_SCHEMA", "uc_schema": {"catalog_name": "c"}})
    found.data.spans[0] = replace(lone, attributes_json={"not JSON": "NaN"})
    trace = Trace(replace(found.info, experiment_id="", other_location=place), found.data)
    assert list(read_page(written((trace, "")))) == [(trace, "")]


def test_hostile_texts_stay_inside_their_element() -> None:
    trace = merge_parts([part(span(1, name=HOSTILE), tags={HOSTILE: HOSTILE}, experiment=HOSTILE)])
    said = replace(trace.info, assessments=[Feedback(HOSTILE, HOSTILE, assessment_id="a-1")])
    trace = Trace(said, trace.data)
    seen: list[str] = []

    class Elements(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)

        def handle_comment(self, data: str) -> None:
            seen.append("comment")

    page = written((trace, HOSTILE))
    Elements().feed(page.decode("ascii"))
    assert seen == ["html", "body", "div", "script", "script", "script"]
    assert list(read_page(page)) == [(trace, HOSTILE)]


def test_many_traces_lie_in_blocks_of_which_a_reader_unpacks_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer, "_BLOCK_BYTES", 1_000)
    traces = [(merge_parts([part(span(1, number))]), "Default") for number in range(1, 11)]
    page = written(*traces)
    assert page.count(b'data-holds="spans"') > 3
    assert list(read_page(page)) == traces


def test_ten_megabytes_in_a_value_take_a_few_kilobytes_and_come_back() -> None:
    long = replace(span(1), outputs_json=f'"{"a" * 10_000_000}"')
    trace = merge_parts([part(long)])
    page = written((trace, "Default"))
    assert len(page) < 50_000
    assert list(read_page(page)) == [(trace, "Default")]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (b"<html></html>", "holds no traces, or was cut off"),
        (written()[:-200], "holds no traces, or was cut off"),
        (written().replace(b'data-form="1"', b'data-form="2"'), "by a newer Tracehound"),
        (re.sub(rb'data-form="1">\w{8}', b'data-form="1">AAAAAAAA', written()), "are damaged"),
        (re.sub(rb'(?<="spans" data-form="1">)[^<]*', b"", written(STEP)), "are damaged"),
        (re.sub(rb'(?<="traces" data-form="1">)[^<]*', b64encode(compress(b"{}\n")), written(STEP)), "are damaged"),
        (re.sub(rb'(?<="spans" data-form="1">)[^<]*', b64encode(compress(b'["a"]\n')), written(STEP)), "are damaged"),
    ],
)
def test_a_page_that_is_none_of_ours_is_refused(page: bytes, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        list(read_page(page))


def test_where_the_viewer_was_not_built_a_word_says_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer, "viewer_page", lambda: None)
    with pytest.raises(MissingExtraError, match=r"\./dev page"):
        needed_viewer_page()
