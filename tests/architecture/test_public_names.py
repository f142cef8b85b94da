"""The public names and their signatures, as a file: a change of the API shows in the review."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import tracehound
from tests.golden import check_golden

GOLDEN = Path(__file__).with_name("public_names.txt")


def test_the_public_names_are_those_of_the_golden_file(update_golden: bool) -> None:
    lines = [f"{name}{signature(getattr(tracehound, name))}" for name in public_names()]
    check_golden(GOLDEN, "\n".join(lines) + "\n", update=update_golden)


def test_every_public_name_has_a_docstring_and_functions_an_example() -> None:
    for name in public_names():
        documented = inspect.getdoc(getattr(tracehound, name))
        assert documented, name
        assert inspect.isclass(getattr(tracehound, name)) or ">>>" in documented, name


def public_names() -> list[str]:
    return sorted(tracehound._PUBLIC)


def signature(value: object) -> str:
    return str(inspect.signature(value)) if inspect.isfunction(value) else ""


def test_type_checkers_read_the_same_names_from_the_same_modules() -> None:
    tree = ast.parse(Path(tracehound.__file__).read_text("utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert {alias.name: node.module for node in imports for alias in node.names} == {
        **tracehound._PUBLIC,
        **dict.fromkeys(tracehound._MODULES, "tracehound"),
    }
