"""The examples in the docstrings run, each with a store of its own."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import tracehound

EXAMPLES = [
    example
    for found in pkgutil.walk_packages(tracehound.__path__, "tracehound.")
    for example in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(found.name))
    if example.examples
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_example_gives_what_it_says(example: doctest.DocTest) -> None:
    report: list[str] = []
    doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=report.append)
    assert not report, "".join(report)
