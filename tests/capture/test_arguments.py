"""Inputs are the arguments of a call by the names of the parameters, whatever the signature looks like."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from tracehound.capture.arguments import Binder


def every_kind(one: int, /, two: int = 2, *rest: int, three: int, four: int = 4, **more: int) -> None: ...


def method(self: object, item: str, count: int = 1) -> None: ...


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "inputs"),
    [
        (lambda: None, (), {}, {}),
        (lambda a, b=[1]: None, (5,), {}, {"a": 5, "b": [1]}),
        (lambda a, b: None, (), {"b": 2, "a": 1}, {"a": 1, "b": 2}),
        (every_kind, (1,), {"three": 3}, {"one": 1, "two": 2, "rest": (), "three": 3, "four": 4, "more": {}}),
        (
            every_kind,
            (1, 0, 9),
            {"three": 3, "five": 5},
            {"one": 1, "two": 0, "rest": (9,), "three": 3, "four": 4, "more": {"five": 5}},
        ),
        (method, (object(), "bone"), {}, {"item": "bone", "count": 1}),
        (dict.fromkeys, ([1],), {}, {"iterable": [1], "value": None}),
    ],
)
def test_arguments_are_told_by_the_names_of_the_parameters(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], inputs: dict[str, Any]
) -> None:
    bound = Binder(function).bind(*args, **kwargs)
    assert bound == inputs
    assert list(bound) == list(inputs)


def test_where_the_signature_is_not_that_of_the_call_the_arguments_are_told_as_far_as_they_fit() -> None:
    def inner(question: str, client: str) -> None: ...

    @functools.wraps(inner)
    def given_a_client(question: str) -> None:
        inner(question, "client")

    binder = Binder(given_a_client)
    with pytest.raises(TypeError):
        binder.bind("why?")
    assert binder.bind_roughly("why?") == {"question": "why?"}
    assert binder.bind_roughly("why?", "me", "too", top=3) == {
        "question": "why?",
        "client": "me",
        "args": ("too",),
        "top": 3,
    }


def test_a_callable_that_tells_nothing_about_itself_has_its_arguments_by_place() -> None:
    assert Binder(dict).bind([1], b=2) == {"args": ([1],), "b": 2}
