"""The page of differences from MLflow: all that the ledger notes is on it, and what it says to write is a filter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tracehound.errors import FilterError
from tracehound.query.check import parse_filter

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "differences-from-mlflow.md").read_text("utf-8")
LEDGER = ROOT / "tests" / "store_contract" / "queries_mlflow.yaml"
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]
REFUSED = [row for row in ROWS if len(row) == 3 and row[1].startswith("`")]
ANSWERED = [row for row in ROWS if row not in REFUSED]


def plain(filter_string: str) -> str:
    """Return a filter as a table shows it: without backticks."""
    return filter_string.replace("`", "")


def test_every_difference_that_the_ledger_notes_is_on_the_page() -> None:
    noted = [
        line for line in LEDGER.read_text("utf-8").splitlines() if line.startswith("  - {filter") and "  # " in line
    ]
    filters = {plain(yaml.safe_load(line.strip().removeprefix("- "))["filter"]) for line in noted}
    assert filters == {plain(row[0]) for row in ANSWERED}


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row[0])
def test_what_is_refused_has_the_correction_of_the_page(row: list[str]) -> None:
    filter_string, meant = (re.sub("^`|`$", "", cell) for cell in row[:2])
    with pytest.raises(FilterError):
        parse_filter(filter_string)
    parse_filter(meant)
