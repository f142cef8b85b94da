"""What the assistant can do besides reading: find an object, show its signature, run its examples, calculate.

Every tool raises what Python raises: which failures an answer survives is for the assistant to say.
"""

from __future__ import annotations

import ast
import difflib
import doctest
import importlib
import inspect
import math
import operator
import pydoc
import reprlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import tracehound

# The modules whose examples compute and print, and do nothing else.
RUNNABLE: Final = frozenset({"collections", "difflib", "fractions", "heapq", "json", "math", "statistics", "textwrap"})

_OPERATORS: Final[dict[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
}


class ExampleFailedError(Exception):
    """An example of the documentation does not print what the documentation says."""


@dataclass(frozen=True)
class Entry:
    """What a name stands for; `has_example` says that `run_example` knows how to try it."""

    name: str
    kind: str
    summary: str
    has_example: bool


@tracehound.trace(span_type="TOOL")
def look_up(name: str) -> Entry:
    """Return what a dotted name stands for; raise `LookupError` where there is no such name."""
    found = _locate(name)
    if not (inspect.ismodule(found) or inspect.isclass(found) or callable(found)):
        return Entry(name, "value", f"It is {reprlib.repr(found)}.", has_example=False)
    kind = "module" if inspect.ismodule(found) else "class" if inspect.isclass(found) else "function"
    text = inspect.getdoc(found) or ""
    runnable = name.partition(".")[0] in RUNNABLE and kind != "module"
    summary = " ".join(text.split("\n\n")[0].split()) or "It has no documentation of its own."
    return Entry(name, kind, summary, runnable and ">>> " in text)


@tracehound.trace(span_type="TOOL")
def suggest_name(name: str, names: Sequence[str]) -> str:
    """Return the known name that is written most like this one; raise `LookupError` where none is."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    if not close:
        raise LookupError(f"nothing is called {name}, nor anything like it")
    return close[0]


@tracehound.trace(span_type="TOOL")
def show_signature(name: str) -> str:
    """Return how to call what a name stands for; raise `TypeError` or `ValueError` where Python cannot say."""
    return f"{name}{inspect.signature(_locate(name))}"


@tracehound.trace(span_type="TOOL")
def run_example(name: str) -> int:
    """Run the examples of a docstring where its module's names are known, and return how many there are.

    Raise `ExampleFailedError`, with what was printed instead, if one of them does not do what it says.
    """
    found = _locate(name)
    module = importlib.import_module(found.__module__)
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(found) or "", {**vars(module)}, name, None, 0)
    printed: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=printed.append)
    if result.failed:
        raise ExampleFailedError("".join(printed))
    return result.attempted


@tracehound.trace(span_type="TOOL")
def calculate(expression: str) -> float:
    """Return the value of a sum in Python's notation, with the functions of `math`.

    Raise what the calculation raises, `SyntaxError` where it is none and `ValueError` where it is more than a sum.
    """
    return float(_value(ast.parse(expression, mode="eval").body))


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return node.value
    if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.operand))
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "math":
        return getattr(math, node.attr)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _value(node.func)(*map(_value, node.args))
    raise ValueError(f"this is not a sum: {ast.unparse(node)}")


def _locate(name: str) -> Any:
    found = pydoc.locate(name)
    if found is None:
        raise LookupError(f"nothing is called {name}")
    return found
