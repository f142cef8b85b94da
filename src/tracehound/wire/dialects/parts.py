"""Parts of messages, as the conventions and the providers write them -> content parts and tool calls of OpenAI's API.

One row for each kind of part that a type names. A part of an unknown kind stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tracehound.model.values import encode_value
from tracehound.wire.any_value import MAX_BYTES
from tracehound.wire.dialects.source import unwrap


@dataclass
class Pieces:
    """What the parts of one message come to."""

    content: list[Any] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)  # messages of their own
    thoughts: list[str] = field(default_factory=list)


def add_part(part: Any, pieces: Pieces) -> None:
    """Put one part where it belongs."""
    if isinstance(part, str):
        pieces.content.append({"type": "text", "text": part})
    elif isinstance(part, dict):
        add = _KINDS.get(_text(part.get("type")) or _kind_of_untyped(part))
        if add is None or not add(part, pieces):
            pieces.content.append(part)
    elif part is not None:
        pieces.content.append({"type": "text", "text": to_json_text(part)})


def to_call(call: Any) -> dict[str, Any] | None:
    """Return the call of a tool, in any form, as OpenAI's API has it; None for what is none.

    The arguments are JSON without blanks: conventions that keep them as an object do not know the blanks any more.

    >>> to_call({"toolCallId": "1", "toolName": "add", "input": {"a": 1}})
    {'id': '1', 'type': 'function', 'function': {'name': 'add', 'arguments': '{"a":1}'}}
    """
    if not isinstance(call, dict):
        return None
    function = call["function"] if isinstance(call.get("function"), dict) else call
    name = _first(function, "name", "toolName", "tool_name")
    if not isinstance(name, str):
        return None
    arguments = _first(function, "arguments", "args", "input")
    return {
        "id": _first(call, "id", "call_id", "toolCallId", "tool_call_id"),
        "type": "function",
        "function": {"name": name, "arguments": to_arguments(arguments)},
    }


def to_arguments(arguments: Any) -> str:
    """Return the arguments of a call as JSON text; a text that is no JSON is kept as it is."""
    plain = unwrap(arguments)
    if plain is None:
        return "{}"
    return plain if isinstance(plain, str) else to_json_text(plain)


def to_json_text(value: Any) -> str:
    """Return a value that came in as JSON as JSON without blanks."""
    return encode_value(value, MAX_BYTES)


def text_of_result(value: Any) -> str:
    """Return what a tool gave back, as the text of a message."""
    if isinstance(value, dict) and value.keys() <= {"type", "value"} and "value" in value:  # Vercel says of which kind
        value = value["value"]
    if isinstance(value, list):
        texts = [_first(each, "text", "content") if isinstance(each, dict) else each for each in value]
        if len(texts) == 1 and isinstance(texts[0], str):
            return texts[0]
    return value if isinstance(value, str) else to_json_text(value)


def _add_text(part: Mapping[str, Any], pieces: Pieces) -> bool:
    text = _first(part, "text", "content")
    if not isinstance(text, str):
        return False
    pieces.content.append({"type": "text", "text": text})
    return True


def _add_call(part: Mapping[str, Any], pieces: Pieces) -> bool:
    call = to_call(_first(part, "function_call", "functionCall") or part)
    if call is not None:
        pieces.calls.append(call)
    return call is not None


def _add_result(part: Mapping[str, Any], pieces: Pieces) -> bool:
    inner = _first(part, "function_response", "functionResponse")
    told = inner if isinstance(inner, dict) else part
    result = _first(told, "response", "result", "output", "content")
    message = {"role": "tool", "content": text_of_result(result)}
    call_id = _first(told, "id", "tool_use_id", "toolCallId", "call_id", "tool_call_id")
    pieces.results.append(message if call_id is None else {**message, "tool_call_id": call_id})
    return True


def _add_thought(part: Mapping[str, Any], pieces: Pieces) -> bool:
    text = _first(part, "content", "thinking", "text")
    if not isinstance(text, str):
        return False
    pieces.thoughts.append(text)
    return True


def _add_media(part: Mapping[str, Any], pieces: Pieces) -> bool:
    """Add a picture, a sound or a file: by its address, by its bytes in base64, or by the id of a file."""
    if isinstance(part.get("file"), dict):  # it is in our form already
        return False
    holders = [part, *(inner for key in _HOLDERS if isinstance(inner := part.get(key), dict))]
    holders += [inner for each in holders[1:] if isinstance(inner := each.get("image"), dict)]
    kind = _first_of(holders, *_KIND_NAMES) or ""
    medium = next((name for name in ("image", "audio", "video") if name in f"{part.get('modality')} {kind}"), None)
    medium = medium or _text(part.get("type")).removeprefix("input_").partition("-")[0].partition("_")[0]
    address, data = _first_of(holders, *_ADDRESSES), _first_of(holders, *_DATA)
    if address is None and data is not None and not _BASE64.fullmatch(data[:80]):
        address = data  # where both may be in one place
    if address is None and data is not None:
        if medium == "audio":
            audio = {"data": data, "format": kind.rpartition("/")[2]}
            pieces.content.append({"type": "input_audio", "input_audio": audio})
            return True
        address = f"data:{kind or _ANY.get(medium, 'application/octet-stream')};base64,{data}"
    if address is None:
        file_id = _first_of(holders, "file_id")
        if file_id is not None:
            pieces.content.append({"type": "file", "file": {"file_id": file_id}})
        return file_id is not None
    if medium == "image":
        detail = _first_of(holders, "detail")
        told = {"url": address} if detail is None else {"url": address, "detail": detail}
        pieces.content.append({"type": "image_url", "image_url": told})
    else:
        pieces.content.append({"type": "file", "file": {"file_data": address}})
    return True


def _kind_of_untyped(part: Mapping[str, Any]) -> str:
    """Return the kind of a part that has no type, as Gemini's and Bedrock's have none."""
    return next((kind for key, kind in _UNTYPED.items() if key in part), "")


def _first(value: Mapping[str, Any], *names: str) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _first_of(holders: list[Any], *names: str) -> str | None:
    found = (holder[name] for holder in holders for name in names if isinstance(holder.get(name), str))
    return next(found, None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_ANY: Final = {"image": "image/*", "video": "video/*"}
_HOLDERS: Final = ("image_url", "image", "source", "inline_data", "inlineData", "file_data", "fileData", "audio")
_KIND_NAMES: Final = ("mime_type", "media_type", "mediaType", "mimeType")
_ADDRESSES: Final = ("url", "uri", "image_url", "fileUri", "file_uri")
_DATA: Final = ("image", "data", "content", "file_data", "bytes")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=_\s-]+")

_Add = Callable[[Mapping[str, Any], Pieces], bool]
_TEXTS: Final = ("text", "input_text", "output_text")
_CALLS: Final = ("tool_call", "tool-call", "tool_use", "function_call", "function")
_RESULTS: Final = ("tool_call_response", "tool-result", "tool_result", "function_call_output", "function_response")
_THOUGHTS: Final = ("reasoning", "thinking")
_MEDIA: Final = (
    "image_url", "image-url", "input_image", "image", "blob", "uri", "binary", "inline_data", "audio-url",
    "video-url", "document-url", "document", "file", "media",
)  # fmt: skip
_KINDS: Final[dict[str, _Add]] = {
    **dict.fromkeys(_TEXTS, _add_text),
    **dict.fromkeys(_CALLS, _add_call),
    **dict.fromkeys(_RESULTS, _add_result),
    **dict.fromkeys(_THOUGHTS, _add_thought),
    **dict.fromkeys(_MEDIA, _add_media),
}
_UNTYPED: Final = {
    "text": "text",
    "function_call": "function_call",
    "functionCall": "function_call",
    "function_response": "function_response",
    "functionResponse": "function_response",
    "inline_data": "inline_data",
    "inlineData": "inline_data",
    "file_data": "uri",
    "fileData": "uri",
}
