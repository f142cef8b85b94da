"""The page about the conventions of others: its program runs, its table of prices is one."""

from __future__ import annotations

import re
from pathlib import Path

from tracehound.wire.dialects.translate import MARKERS
from tracehound.wire.prices import parse_prices

PAGE = (Path(__file__).parents[2] / "docs" / "conventions.md").read_text("utf-8")


def test_the_program_of_the_page_runs() -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(program, "conventions.md", "exec"), {})


def test_the_table_of_prices_on_the_page_is_one() -> None:
    [table] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert parse_prices(table)["gpt-4o-mini"].cache_write == 0.15


def test_what_the_page_says_that_conventions_are_recognised_by_is_what_they_are_recognised_by() -> None:
    rows = re.search(r"\| convention .*?\n\n", PAGE, re.DOTALL)
    assert rows is not None
    names = re.findall(r"`([a-z_A-Z0-9.]+?)(\.\*)?`", rows.group())
    for name, is_prefix in names:
        if not name.startswith("mlflow"):
            assert [key for key in MARKERS if key == name or (is_prefix and key.startswith(f"{name}."))], name
