"""Messages of protobuf's JSON, as clients send them: lenient where protobuf is.

A field may be named in snake case or in camel case, null is as if it were not there, and fields that are not known
are passed over: they are of a newer client. The keys of maps (tags, metadata) are the user's and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tracehound.model.form import Form
from tracehound.model.values import clean_text

_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


def snake_case(name: str) -> str:
    """Return a name of protobuf's JSON as protobuf's own.

    >>> snake_case("assessmentName"), snake_case("trace_id")
    ('assessment_name', 'trace_id')
    """
    return _HUMP.sub(lambda found: f"_{found[1].lower()}", name)


class Message(Form):
    """One message; what is not known of it is passed over."""

    def __init__(self, value: object, place: str = "") -> None:
        if isinstance(value, dict):
            value = {snake_case(key): each for key, each in value.items() if each is not None}
        super().__init__(value, place)

    def text_or_empty(self, key: str) -> str:
        """Return a text; an empty one where nothing is there, which is the same to protobuf."""
        return self.text_or_none(key) or ""

    def flag(self, key: str) -> bool:
        """Return true or false, which a query writes as a word; false where nothing is there."""
        found = self.take(key, False)  # noqa: FBT003 - a value
        if isinstance(found, str):
            found = {"true": True, "false": False}.get(found.lower(), found)
        if not isinstance(found, bool):
            raise self.wrong(key, "true or false", found)
        return found

    def list_of_texts(self, key: str) -> list[str]:
        """Return the texts of a list; none where nothing is there, one where one stands alone, as in a query."""
        found = self.take(key, None)
        if found is None:
            return []
        items = found if isinstance(found, list) else [found]
        for item in items:
            if not isinstance(item, str):
                raise self.wrong(key, "a list of texts", found)
        return items

    def pairs(self, key: str) -> dict[str, str]:
        """Return tags or the like, which stand in a list of `{"key": …, "value": …}`."""
        return {clean_text(each.text("key")): clean_text(each.text_or_empty("value")) for each in self.forms(key)}

    def values_left(self) -> dict[str, Any]:
        """Return all fields that nobody has taken."""
        return dict(self._left)

    def end(self) -> None:
        """Pass over what nobody has taken."""


def to_pairs(texts: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags or the like as `Message.pairs` reads them."""
    return [{"key": key, "value": value} for key, value in texts.items()]


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are there; a message leaves out the others."""
    return {key: value for key, value in values.items() if value is not None}
