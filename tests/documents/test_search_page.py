"""The first of the documents' pages: its end-to-end example, in our words, with the counts that it promises."""

from __future__ import annotations

import time

import pytest

import tracehound


@tracehound.trace()
def greet_early(name: str) -> str:
    time.sleep(0.002)
    tracehound.update_current_trace(tags={"person": name})
    return f"Good morning, {name}!"


@tracehound.trace()
def greet_late(name: str) -> str:
    time.sleep(0.002)
    tracehound.update_current_trace(tags={"person": name})
    return f"Good evening, {name}!"


@tracehound.trace()
def take_leave() -> None:
    tracehound.update_current_trace(tags={"greeting_type": "goodbye"})
    raise RuntimeError("cannot say goodbye")


def test_the_end_to_end_example_gives_its_counts() -> None:
    greet_early("Tom")
    after_tom_ms = int(time.time() * 1000)
    greet_late("Mary")
    with pytest.raises(RuntimeError, match="cannot say goodbye"):
        take_leave()

    assert count("attributes.status = 'OK'") == 2
    assert count("attributes.status = 'ERROR'") == 1
    assert count(None) == 3
    assert count("tags.person = 'Tom'") == 1
    assert count("tags.person = 'Tom' AND attributes.status = 'OK'") == 1
    # The failed call is in, Tom's is out. Mary's is in if it began in a later millisecond than the one noted.
    assert count(f"attributes.timestamp > {after_tom_ms}") in (1, 2)
    assert count(f"attributes.timestamp >= {after_tom_ms}") == 2


def count(filter_string: str | None) -> int:
    return len(tracehound.search_traces(filter_string=filter_string))
