"""One row an integration: what follows from it elsewhere is held to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tracehound
from tracehound.autologging import libraries
from tracehound.autologging.public import Library
from tracehound.autologging.table import INTEGRATIONS, Integration

ROOT = Path(__file__).parents[2]
PROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
PAGE = (ROOT / "docs" / "autolog.md").read_text("utf-8")
ROWS = INTEGRATIONS.values()


def extra(name: str) -> list[str]:
    """Return the requirements of an extra."""
    (block,) = re.findall(rf"^{name} = \[(.*?)\]$", PROJECT, re.MULTILINE | re.DOTALL)
    return re.findall(r'"([^"]+)"', block)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_extra_of_an_integration_brings_its_instrumentation(row: Integration) -> None:
    wanted = [] if row.distribution is None else [row.distribution]
    assert [re.split("[><=;]", requirement)[0] for requirement in extra(row.extra)] == wanted


def test_there_are_no_other_extras_of_integrations() -> None:
    assert set(re.findall("^(autolog-.*?) =", PROJECT, re.MULTILINE)) == {row.extra for row in ROWS}


def test_the_extra_of_all_has_those_for_models_and_agents_that_install_nothing_large() -> None:
    large = {"beeai", "autogen", "pipecat"}
    wanted = [row.extra for row in ROWS if row.distribution and not row.is_by_name and row.name not in large]
    assert extra("autolog") == [f"tracehound[{name}]" for name in wanted]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_an_integration_is_a_public_name(row: Integration) -> None:
    assert getattr(tracehound, row.name).autolog
    assert repr(getattr(tracehound, row.name)).endswith(f"tracehound.{row.name}.autolog()>")


def test_the_names_that_editors_know_are_those_of_the_table() -> None:
    assert {name: value.__name__ for name, value in vars(libraries).items() if isinstance(value, Library)} == {
        name: f"tracehound.{name}" for name in INTEGRATIONS
    }
    assert sorted(INTEGRATIONS) == tracehound._INTEGRATIONS.split()


def test_the_page_has_the_table() -> None:
    shown = re.findall(r"^\| (.*?) \| `tracehound\.(\w+)` \| `(.*?)` \| (.*?) \| `(.*?)` \|$", PAGE, re.MULTILINE)
    assert shown == [
        (
            row.title,
            row.name,
            row.extra,
            "by its name only" if row.is_by_name else "yes",
            row.distribution or row.package,
        )
        for row in ROWS
    ]
