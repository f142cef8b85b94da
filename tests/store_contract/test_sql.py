"""SQL over the documented views: right rows, and nothing but rows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.traces import START_MS, part, span
from tracehound.errors import ArgumentError, SearchTimeoutError
from tracehound.model.assessment import Expectation, Feedback
from tracehound.model.edit import ASSESSMENT, Edit
from tracehound.model.occurrence import RecordedEvent
from tracehound.model.record import replace, to_json_text
from tracehound.model.span import Span
from tracehound.query.limit import SearchLimit
from tracehound.store.api import Store
from tracehound.store.sqlite.sql import VIEWS

USUAL = (span(1).inputs_json, span(1).outputs_json)
PAGE = (Path(__file__).parents[2] / "docs" / "sql.md").read_text("utf-8")


@pytest.fixture
def filled(sql_store: Store) -> Store:
    root = replace(
        span(1, name="answer", duration_ms=40),
        inputs_json='{"q":"why?"}',
        outputs_json='"because"',
        attributes_json={"model": '"gpt-4o"', "n": "3"},
        event_records=(RecordedEvent("retry", 7, {"attempt": "2"}),),
    )
    child: Span = span(2, parent=1, name="call", start_ms=5, duration_ms=10, failed=True)
    usage = {"mlflow.trace.tokenUsage": '{"input_tokens":5,"total_tokens":6}', "mlflow.trace.user": "alice"}
    said = [
        Feedback("correct", value=True, assessment_id="a-1", rationale="it is", create_time_ms=START_MS, valid=True),
        Expectation("answers", ["yes", "no"], assessment_id="a-2", create_time_ms=START_MS + 1),
    ]
    edits = [Edit(root.trace_id, str(each.assessment_id), to_json_text(each.to_dict()), 1, ASSESSMENT) for each in said]
    sql_store.write([part(root, child, tags={"env": "prod"}, metadata=usage), *edits])
    sql_store.write([part(span(1, trace=2, name="late", duration_ms=None), written_ns=1)])
    sql_store.write([part(span(2, trace=2, parent=1, name="later", start_ms=9), written_ns=2)])
    return sql_store


def test_traces_are_rows(filled: Store) -> None:
    found = filled.sql(
        "SELECT name, state, start_ms - ?, duration_ms, user, input_tokens, output_tokens, span_count, experiment,"
        " json_extract(tags, '$.env') FROM traces ORDER BY name",
        [START_MS],
    )
    assert found.rows == [
        ("answer", "OK", 0, 40, "alice", 5, None, 2, "Default", "prod"),
        ("late", "IN_PROGRESS", 0, None, None, None, None, 2, "Default", None),
    ]


def test_spans_are_rows_whatever_parts_they_came_in(filled: Store) -> None:
    found = filled.sql("SELECT name, parent_id IS NULL, status, duration_ms, inputs, outputs, attributes FROM spans")
    assert sorted(found.rows) == [
        ("answer", 1, "OK", 40.0, '{"q":"why?"}', '"because"', '{"model":"gpt-4o","n":3}'),
        ("call", 0, "ERROR", 10.0, *USUAL, "{}"),
        ("late", 1, "OK", None, *USUAL, "{}"),
        ("later", 0, "OK", 10.0, *USUAL, "{}"),
    ]
    ((events,),) = filled.sql("SELECT events FROM spans WHERE events IS NOT NULL").rows
    assert json.loads(str(events)) == [["retry", 7, '{"attempt":2}']]


def test_assessments_tags_and_metadata_are_rows(filled: Store) -> None:
    found = filled.sql(
        "SELECT name, kind, value, rationale, source_type, time_ms - ?, is_valid FROM assessments", [START_MS]
    )
    assert sorted(found.rows) == [
        ("answers", "expectation", '["yes","no"]', None, "HUMAN", 1, 1),
        ("correct", "feedback", 1, "it is", "CODE", 0, 1),
    ]
    assert filled.sql("SELECT value FROM tags WHERE key = :key", {"key": "env"}).rows == [("prod",)]
    assert filled.sql("SELECT count(*) FROM metadata WHERE key = 'mlflow.trace.user'").rows == [(1,)]


def test_views_join_and_add_up(filled: Store) -> None:
    found = filled.sql(
        "WITH slow AS (SELECT trace_id FROM traces WHERE duration_ms > 20)"
        " SELECT s.name, count(*) AS n FROM spans AS s JOIN slow USING (trace_id) GROUP BY s.name ORDER BY s.name"
    )
    assert found.columns == ("name", "n")
    assert found.rows == [("answer", 1), ("call", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM traces", "DELETE FROM main.trace", "INSERT INTO tags VALUES (1, 2, 3)",
        "UPDATE main.trace SET name = 'x'", "DROP TABLE main.trace", "CREATE TABLE t (a)", "CREATE TEMP TABLE t (a)",
        "ATTACH ':memory:' AS other", "DETACH main", "PRAGMA journal_mode = DELETE", "PRAGMA user_version",
        "PRAGMA query_only = OFF", "VACUUM", "VACUUM INTO '/tmp/x.db'", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a",
        "REINDEX", "ANALYZE", "ALTER TABLE main.trace ADD COLUMN x", "SELECT * FROM main.trace",
        "SELECT * FROM posting", "SELECT * FROM main.part", "SELECT * FROM segment", "SELECT * FROM sqlite_master",
        "SELECT * FROM pragma_table_info('trace')", "SELECT load_extension('x')",
        "WITH spans AS (SELECT load_extension('x')) SELECT * FROM spans", "EXPLAIN SELECT * FROM main.trace",
        "SELECT tracehound_value('{}', 'a')", "SELECT writefile('/tmp/x', 'y')", "SELECT readfile('/etc/passwd')",
        "SELECT 1; SELECT 2", "SELECT 1; DELETE FROM traces", "SELECT * FROM nothing", "SELECT nought FROM traces",
        "SELEC 1", "", "   ", "\0", "SELECT '\ud800'", "SELECT ?", "SELECT 1 FROM traces WHERE name = :missing",
        "-- comment", "x" * 100_000, "SELECT " + "(" * 2_000 + "1" + ")" * 2_000, "CREATE TEMP VIEW v AS SELECT 1",
        "DROP VIEW traces", "SELECT fts3_tokenizer('simple')", "SELECT zeroblob(2000000000)",

    ],
)  # fmt: skip
def test_whatever_is_no_select_from_the_views_is_refused_and_changes_nothing(filled: Store, text: str) -> None:
    with pytest.raises(ArgumentError):
        filled.sql(text)
    assert filled.sql("SELECT count(*) FROM traces").rows == [(2,)]


def test_a_refusal_says_what_is_allowed(filled: Store) -> None:
    with pytest.raises(ArgumentError, match="SQL may SELECT from traces, spans, assessments, tags, metadata, and"):
        filled.sql("DELETE FROM traces")
    with pytest.raises(ArgumentError, match="this SQL cannot be run: no such column: nought; tags has trace_id, key, "):
        filled.sql("SELECT nought FROM tags")
    with pytest.raises(ArgumentError, match="no such table: trace_; there are traces, spans, assessments, tags, meta"):
        filled.sql("SELECT * FROM trace_")
    with pytest.raises(ArgumentError, match="one statement at a time"):
        filled.sql("SELECT 1; SELECT 2")


def test_a_statement_without_end_ends_in_time(filled: Store) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(SearchTimeoutError, match=r"longer than 0\.05 s"):
        filled.sql(endless, (), SearchLimit(0.05))


def test_the_page_names_the_columns_of_each_view() -> None:
    for name, (columns, _) in VIEWS.items():
        section = PAGE.split(f"## {name}\n")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == columns.replace(" ", "").split(",")
