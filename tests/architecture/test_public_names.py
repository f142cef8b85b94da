"""The public names and their signatures, as a file: a change of the API shows in the review."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import tracehound.entities
import tracehound.testing
import tracehound.tracing
from tests.golden import check_golden

GOLDEN = Path(__file__).with_name("public_names.txt")


def test_the_public_names_are_those_of_the_golden_file(update_golden: bool) -> None:
    lines = [f"{name}{signature(getattr(tracehound, name))}" for name in public_names()]
    check_golden(GOLDEN, "\n".join(lines) + "\n", update=update_golden)


MODULES = [tracehound, tracehound.entities, tracehound.tracing, tracehound.testing]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_class_and_function_has_an_example_in_its_own_docstring(module: ModuleType) -> None:
    values = public_values(module)
    assert values
    assert [name for name, value in values.items() if ">>>" not in (value.__doc__ or "")] == []


def public_values(module: ModuleType) -> dict[str, object]:
    """Return what one takes from a module; of `testing` what it defines itself."""
    if module is tracehound:
        return {name: getattr(tracehound, name) for name in public_names()}
    home = module.__name__ if module is tracehound.testing else "tracehound."
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__.startswith(home)
    }


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
