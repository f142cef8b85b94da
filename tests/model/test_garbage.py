"""What is made at once is put among what is old, but for what a program has frozen itself."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from tracehound.model.garbage import Ageing


@pytest.fixture
def nothing_frozen() -> Iterator[None]:
    """Let go what the suite has frozen (`conftest.py`), and freeze it again."""
    gc.unfreeze()
    yield
    gc.freeze()


def counted_freezes(ageing: Ageing, times: int) -> int:
    """Return how often a program's frozen objects are counted while so many pages are made."""
    counted = []

    def note(_frame: FrameType, event: str, arg: Any) -> None:
        if event == "c_call" and arg is gc.get_freeze_count:
            counted.append(arg)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for _ in range(times):
            ageing.age()
    finally:
        sys.setprofile(before)
    return len(counted)


@pytest.mark.usefixtures("nothing_frozen")
def test_what_was_made_is_old_and_not_frozen() -> None:
    gc.collect()
    made = [[number] for number in range(100)]
    Ageing().age()
    young = {id(each) for each in gc.get_objects(generation=0)}
    assert not any(id(each) in young for each in made)
    assert any(each is made for each in gc.get_objects(generation=2))
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("nothing_frozen")
def test_what_a_program_has_frozen_stays_so_and_is_counted_once() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    assert counted_freezes(Ageing(), 3) == 1
    assert gc.get_freeze_count() >= frozen - 100  # some of it may have been let go meanwhile


@pytest.mark.usefixtures("nothing_frozen")
def test_a_program_may_freeze_after_its_first_page() -> None:
    ageing = Ageing()
    ageing.age()
    gc.freeze()
    ageing.age()
    assert gc.get_freeze_count() > 0
