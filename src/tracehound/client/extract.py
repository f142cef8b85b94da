"""Fields of spans as columns of their own: `extract_fields` of `search_traces`.

    field = span "." ( "inputs" | "outputs" ) { "." step } | span "." "attributes" "." step { "." step }

A name or a step with dots stands in backticks; a step of digits takes an element of a list. Where the whole rest of a
path is a key, that key is meant: names with dots need backticks only where they are ambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tracehound.errors import ArgumentError
from tracehound.model.span import INPUTS, OUTPUTS
from tracehound.model.values import decode_value

_SIDES: Final = {"inputs": INPUTS, "outputs": OUTPUTS}
_ATTRIBUTES: Final = "attributes"
_FORM: Final = (
    "write SPAN.inputs.FIELD, SPAN.outputs.FIELD, SPAN.attributes.KEY or a whole SPAN.inputs or SPAN.outputs;"
    " names with dots stand in backticks"
)


@dataclass(frozen=True)
class SpanField:
    """What to take from the first span of a name; `name` is that of the column: the text without its backticks."""

    name: str
    span: str
    key: str
    path: tuple[str, ...]

    def value(self, spans: Sequence[Mapping[str, Any]]) -> Any:
        """Return the value of the first of the spans, in the order in which they began; None where there is none."""
        named = [span for span in spans if span["name"] == self.span]
        if not named:
            return None
        first = min(named, key=lambda span: int(span["start_time_unix_nano"]))
        found, path = _start(first["attributes"], self)
        return _walk(found, path)


def parse_fields(texts: object) -> tuple[SpanField, ...]:
    """Return the fields that the texts name, each once; raise `ArgumentError` where one is none."""
    if texts is None:
        return ()
    if isinstance(texts, str) or not isinstance(texts, Sequence) or not all(isinstance(each, str) for each in texts):
        shown = f"[{texts!r}]" if isinstance(texts, str) else "['answer.inputs.question']"
        raise ArgumentError(f"extract_fields is a list of texts such as {shown}, not {texts!r}")
    return tuple({field.name: field for field in map(_parse_field, texts)}.values())


def _parse_field(text: str) -> SpanField:
    steps, starts = _split(text)
    if len(steps) < 2:
        raise _mistake("there is no field behind the name of the span", text, len(text))
    span, side, *path = steps
    if side in _SIDES:
        return SpanField(".".join(steps), span, _SIDES[side], tuple(path))
    if side != _ATTRIBUTES:
        raise _mistake(f"a span has inputs, outputs and attributes, no {side!r}", text, starts[1])
    if not path:
        raise _mistake("attributes need a key behind them", text, len(text))
    return SpanField(".".join(steps), span, "", tuple(path))


def _split(text: str) -> tuple[list[str], list[int]]:
    """Return the parts of a text between its dots, without backticks, and where they begin."""
    steps: list[str] = []
    starts: list[int] = []
    at = 0
    while True:
        starts.append(at)
        if text[at : at + 1] == "`":
            end = text.find("`", at + 1)
            if end == -1:
                raise _mistake("a backtick is not closed", text, at)
            step, end = text[at + 1 : end], end + 1
        else:
            end = text.find(".", at)
            end = len(text) if end == -1 else end
            step = text[at:end]
        if not step:
            raise _mistake("a name is missing", text, at)
        steps.append(step)
        if end == len(text):
            return steps, starts
        if text[end] != ".":
            raise _mistake("a dot has to stand behind a name in backticks", text, end)
        at = end + 1


def _mistake(message: str, text: str, at: int) -> ArgumentError:
    return ArgumentError(f"extract_fields: {message}\n    {text}\n    {' ' * at}^\n{_FORM}")


def _start(attributes: Mapping[str, str], field: SpanField) -> tuple[Any, tuple[str, ...]]:
    """Return the value that the path begins in, and the rest of the path."""
    if field.key:
        text = attributes.get(field.key)
        return (None if text is None else decode_value(text)), field.path
    for length in range(len(field.path), 0, -1):  # keys of attributes have dots more often than not
        text = attributes.get(".".join(field.path[:length]))
        if text is not None:
            return decode_value(text), field.path[length:]
    return None, ()


def _walk(value: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at the end of a path through mappings and lists, None where it leads nowhere."""
    for at, step in enumerate(path):
        if isinstance(value, dict):
            whole = ".".join(path[at:])
            if step not in value and whole in value:
                return value[whole]
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
