"""Searches that have a name, through the public interface."""

from __future__ import annotations

import pytest

import tracehound
from tracehound.errors import ArgumentError, FilterError, NotFoundError


def test_a_search_is_kept_whole_and_the_later_one_of_a_name_counts() -> None:
    first = tracehound.save_search(
        "a", "tags.x = 'y'", order_by=["latency DESC"], experiments=["e"], since="24h", until="1800000000000"
    )
    assert tracehound.saved_searches() == [first]
    second = tracehound.save_search("a")
    assert tracehound.saved_searches() == [second]
    assert (second.filter, second.order_by, second.experiments, second.since, second.until) == ("", [], [], None, None)


def test_searches_are_in_the_order_of_their_names() -> None:
    for name in ("c", "a", "b"):
        tracehound.save_search(name)
    tracehound.delete_saved_search("b")
    assert [each.name for each in tracehound.saved_searches()] == ["a", "c"]


@pytest.mark.parametrize(("written", "kept"), [("24h", "24h"), ("2 days", "2d"), ("90 minutes", "90m"), ("1w", "7d")])
def test_a_length_of_time_is_kept_as_the_page_writes_it(written: str, kept: str) -> None:
    assert tracehound.save_search("a", since=written).since == kept


def test_what_is_wrong_is_told_and_not_kept() -> None:
    with pytest.raises(FilterError):
        tracehound.save_search("a", "status = 'OK'")
    with pytest.raises(FilterError):
        tracehound.save_search("a", order_by=["nonsense"])
    with pytest.raises(ArgumentError, match="length of time"):
        tracehound.save_search("a", since="yesterday")
    with pytest.raises(ArgumentError, match="name of a search"):
        tracehound.save_search(" ")
    with pytest.raises(ArgumentError, match="order_by is a list"):
        tracehound.save_search("a", order_by="latency")
    with pytest.raises(NotFoundError, match="no saved search 'a'"):
        tracehound.delete_saved_search("a")
    assert tracehound.saved_searches() == []
