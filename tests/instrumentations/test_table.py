"""The rows of the table name what is there: every instrumentation of this environment can be put in and taken out."""

from __future__ import annotations

import pytest

import tracehound
from tracehound.autologging.switch import is_installed, is_ready, turned_on
from tracehound.autologging.table import INTEGRATIONS, Integration

HERE = [row for row in INTEGRATIONS.values() if is_installed(row) and is_ready(row)]


def test_the_environment_has_what_the_tests_are_of() -> None:
    assert {row.name for row in HERE} >= {
        "openai", "anthropic", "langchain", "litellm", "httpx", "httpx2", "requests", "aiohttp", "fastapi", "starlette",
        "flask", "django", "celery",
    }  # fmt: skip


@pytest.mark.parametrize("row", HERE, ids=lambda row: row.name)
def test_an_instrumentation_goes_in_and_out_as_often_as_one_likes(row: Integration) -> None:
    library = getattr(tracehound, row.name)
    for _ in range(2):
        library.autolog()
        assert turned_on() == [row.name]
        library.autolog(disable=True)
        assert turned_on() == []
