"""The name of a field -> the field, or what to write instead."""

from __future__ import annotations

from typing import Final

from tracehound.errors import FilterError
from tracehound.query.fields import (
    ASSESSED,
    ATTRIBUTES,
    PREFIXES,
    SEARCHED,
    SPAN_FIELDS,
    SPAN_VALUES,
    Field,
    Group,
    Kind,
)  # fmt: skip
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
_ASSESSMENTS: Final = ("assessment", "assessments")
_SEARCHED_OF: Final = {"text": "trace"}  # the prefix that reads best, where it is another one
# What spans' fields are called elsewhere.
_OTHER_SPAN_NAMES: Final = {
    "kind": "type", "error": "status", "state": "status", "time": "duration_ms", "latency_ms": "duration_ms",
    "elapsed": "duration_ms", "text": "content", "message": "status_message", "tokens": "total_tokens",
    "request": "inputs", "response": "outputs", "args": "inputs", "result": "outputs", "repeated": "repetitions",
}  # fmt: skip
MAX_PATH: Final = 20  # names, from the inputs or outputs of a span to a value in them


def resolve_field(name: Name, text: str) -> Field:
    """Return the field that a name means; raise `FilterError` where there is none."""
    prefix, *rest = name.parts
    group = PREFIXES.get(prefix)
    if group is None or not rest:
        raise _prefix_error(name, text)
    if group is Group.SPAN:
        return resolve_in_span(name, text)
    key = ".".join(rest)
    if group in ASSESSED:
        return Field(group, key, Kind.VALUE)
    if group is not Group.ATTRIBUTES:
        return Field(group, key)
    if key in SEARCHED:
        return SEARCHED[key]
    if key not in ATTRIBUTES:
        raise _unknown_attribute_error(name, key, text)
    return ATTRIBUTES[key]


def resolve_in_span(name: Name, text: str) -> Field:
    """Return the field of a span that a name means, without its prefix or with it; raise `FilterError` for none."""
    parts = name.parts[1:] if name.parts[0] == Group.SPAN.value and len(name.parts) > 1 else name.parts
    first, *path = parts
    values = SPAN_VALUES.get(first)
    if values is not None and path:
        if len(path) > MAX_PATH:
            message = f"a path has at most {MAX_PATH} names"
            raise FilterError(message, text, name.start, name.end)
        return Field(Group.SPAN, values, Kind.VALUE, path=tuple(path))
    if values is not None:
        raise FilterError(f"'{first}' needs a name behind it: {first}.NAME", text, name.start, name.end)
    if first in SPAN_FIELDS and not path:
        return SPAN_FIELDS[first]
    raise _unknown_of_span_error(name, parts, text)


def _unknown_of_span_error(name: Name, parts: tuple[str, ...], text: str) -> FilterError:
    """Return the error for what a span does not have, with what may be meant."""
    first, *rest = parts
    written = told(text[name.start : name.end])
    prefix = f"{Group.SPAN.value}." if len(parts) < len(name.parts) else ""
    if first in PREFIXES and rest:
        message = f"'{written}' is of the trace: inside of span( … ) stands what is asked of one span"
        return FilterError(message, text, name.start, name.end)
    what = told_look_alike(first) or f"a span has no '{told('.'.join(parts))}'"
    close = _OTHER_SPAN_NAMES.get(first) or nearest(first, [*SPAN_FIELDS, *SPAN_VALUES])
    if close in SPAN_FIELDS and not rest:
        return _error(name, text, what, f"{prefix}{close}")
    if close in SPAN_VALUES and rest:
        return _error(name, text, what, ".".join((f"{prefix}{close}", *map(quote_name, rest))))
    key = ".".join(map(quote_name, parts))
    names = ", ".join(dict.fromkeys(field.name for field in SPAN_FIELDS.values()))
    message = f"{what}; there are {names}, and attributes.{told(key)}, inputs.NAME, outputs.NAME"
    return mistake(message, text, name.start, name.end, None)


def _prefix_error(name: Name, text: str) -> FilterError:
    """Return the error for a name without a prefix, or with one that does not exist."""
    written = told(text[name.start : name.end])
    first, *rest = name.parts
    joined = ".".join(name.parts)
    if joined in ATTRIBUTES:
        return _error(name, text, f"'{written}' needs a prefix", f"attributes.{joined}")
    if first in SPAN_VALUES and rest:
        replacement = f"{Group.SPAN.value}.{text[name.start : name.end]}"
        return _error(name, text, f"'{written}' needs a prefix", replacement)
    if not rest:
        return _single_word_error(name, text)
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
    if word in SEARCHED:
        return _error(name, text, f"'{written}' needs a prefix", f"{_SEARCHED_OF.get(word, 'attributes')}.{word}")
    key = told(quote_name(word))
    if word in SPAN_FIELDS and word not in _OTHER_NAMES:
        first = f"{Group.SPAN.value}.{word}"
    else:
        first = f"attributes.{_OTHER_NAMES.get(word) or nearest(word, ATTRIBUTES) or '…'}"
    message = f"'{written}' needs a prefix: {first}, tags.{key} or metadata.{key}"
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
