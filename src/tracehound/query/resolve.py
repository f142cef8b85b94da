"""The name of a field -> the field, or what to write instead."""

from __future__ import annotations

from typing import Final

from tracehound.errors import FilterError
from tracehound.query.fields import ASSESSED, ATTRIBUTES, PREFIXES, Field, Group, Kind
from tracehound.query.suggest import mistake, nearest, plain, told, told_look_alike
from tracehound.query.tokens import quote_name
from tracehound.query.tree import Name

# What attributes are called elsewhere.
_OTHER_NAMES: Final = {
    "duration": "latency", "duration_ms": "latency", "elapsed": "latency", "latency_ms": "latency",
    "time": "timestamp", "date": "timestamp", "start_time": "timestamp", "created_at": "timestamp",
    "id": "trace_id", "user_id": "user", "session_id": "session", "traceName": "name", "error": "status",
    "tokens": "total_tokens", "spans": "span_count", "total_cost": "cost",
}  # fmt: skip
# Keys that are known to be tags; the other ones that begin with `mlflow.` are metadata.
_TAG_KEYS: Final = ("mlflow.traceName", "mlflow.artifactLocation", "mlflow.eval.requestId")
_NOT_YET: Final = ("span", "spans")
_ASSESSMENTS: Final = ("assessment", "assessments")


def resolve_field(name: Name, text: str) -> Field:
    """Return the field that a name means; raise `FilterError` where there is none."""
    prefix, *rest = name.parts
    group = PREFIXES.get(prefix)
    if group is None or not rest:
        raise _prefix_error(name, text)
    key = ".".join(rest)
    if group in ASSESSED:
        return Field(group, key, Kind.VALUE)
    if group is not Group.ATTRIBUTES:
        return Field(group, key)
    if key not in ATTRIBUTES:
        raise _unknown_attribute_error(name, key, text)
    return ATTRIBUTES[key]


def _prefix_error(name: Name, text: str) -> FilterError:
    """Return the error for a name without a prefix, or with one that does not exist."""
    written = told(text[name.start : name.end])
    first, *rest = name.parts
    joined = ".".join(name.parts)
    if joined in ATTRIBUTES:
        return _error(name, text, f"'{written}' needs a prefix", f"attributes.{joined}")
    if not rest:
        return _single_word_error(name, text)
    if first.lower() in _NOT_YET:
        message = f"'{written}' cannot be searched: {', '.join(group.value for group in Group)} can"
        return mistake(message, text, name.start, name.end, None)
    if first.lower() in _ASSESSMENTS:
        quoted = ".".join(map(quote_name, rest))
        either = f"feedback.{told(quoted)} or expectation.{told(quoted)}"
        message = f"'{written}' is feedback or an expectation: write {either}"
        return mistake(message, text, name.start, name.end, f"feedback.{quoted}")
    close = nearest(first, PREFIXES)
    if close is not None:
        what = told_look_alike(first) or f"'{written}' is not a field"
        key = nearest(".".join(rest), ATTRIBUTES) if PREFIXES[close] is Group.ATTRIBUTES else None
        return _error(name, text, what, f"{close}.{key}" if key else ".".join((close, *map(quote_name, rest))))
    if joined in _TAG_KEYS:
        return _error(name, text, f"'{written}' needs a prefix", f"tags.{quote_name(joined)}")
    replacement = f"metadata.{quote_name(joined)}"
    tag = f"tags.{quote_name(joined)}"
    message = f"'{written}' needs a prefix: write {told(replacement)}, or {told(tag)} if it is a tag"
    return mistake(message, text, name.start, name.end, replacement)


def _single_word_error(name: Name, text: str) -> FilterError:
    """Return the error for one word that is no attribute."""
    word = name.parts[0]
    written = told(word)
    if word in PREFIXES:
        message = f"'{written}' is a prefix and needs a name behind it: {written}.NAME"
        return mistake(message, text, name.start, name.end, None)
    close = nearest(word, ATTRIBUTES)
    key = told(quote_name(word))
    message = f"'{written}' needs a prefix: attributes.{close or '…'}, tags.{key} or metadata.{key}"
    return mistake(message, text, name.start, name.end, None)


def _unknown_attribute_error(name: Name, key: str, text: str) -> FilterError:
    """Return the error for an attribute that does not exist, with what may be meant."""
    first, *rest = key.split(".")
    what = told_look_alike(key) if nearest(plain(key), ATTRIBUTES) else None
    what = what or f"there is no attribute '{told(key)}'"
    if first in PREFIXES and rest:
        return _error(name, text, what, f"{first}.{quote_name('.'.join(rest))}")
    if first == "mlflow":
        prefix = "tags" if key in _TAG_KEYS else "metadata"
        return _error(name, text, what, f"{prefix}.{quote_name(key)}")
    meant = _OTHER_NAMES.get(key) or nearest(key, ATTRIBUTES)
    if meant is not None:
        return _error(name, text, what, f"attributes.{meant}")
    return mistake(f"{what}; there are {', '.join(ATTRIBUTES)}", text, name.start, name.end, None)


def _error(name: Name, text: str, what: str, replacement: str) -> FilterError:
    return mistake(f"{what}: write {told(replacement)}", text, name.start, name.end, replacement)
