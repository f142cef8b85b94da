"""Records without what nobody may read: whatever is to be kept passes here, in the thread that made it.

First the user's own function changes each value, then secrets are taken out of every text. Where the function fails,
there is a marker and never the value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from tracehound.context.scope import MODEL_ID, SOURCE_RUN
from tracehound.model.derive import COST, TOKEN_USAGE
from tracehound.model.edit import ASSESSMENT, METADATA, TAG, Deletion, Edit, Facts
from tracehound.model.occurrence import RecordedEvent, RecordedLink
from tracehound.model.record import from_json, replace
from tracehound.model.run import PARAM
from tracehound.model.run import TAG as TAG_OF_FACTS
from tracehound.model.span import FUNCTION_NAME, Span
from tracehound.model.trace import TracePart
from tracehound.model.values import decode_value, encode_value, to_text
from tracehound.screening.redaction import Redactor
from tracehound.store.experiments import KIND as EXPERIMENT

FAILED: Final = "[MASK_FAILED]"

# A user's function: takes a value as JSON has it, and returns what is kept in its place.
Mask: TypeAlias = Callable[[Any], Any]

# What binds traces to runs and models, and is ours alone.
_BINDING: Final = frozenset((SOURCE_RUN, MODEL_ID))
# What the user's function is not asked about: numbers that are added up, and names from the code.
_OF_OURS: Final = _BINDING | {TOKEN_USAGE, COST, FUNCTION_NAME, "mlflow.chat.tokenUsage", "mlflow.llm.cost"}
_ASSESSED: Final = ("value", "rationale", "metadata", "error_message", "stack_trace")
_OF_FACTS: Final = (TAG_OF_FACTS, PARAM, "description", "user_id")


class Masking:
    """Masks what is kept of traces, with a user's functions and by taking secrets out; either may be None.

    `report` is told of a function that fails.
    """

    def __init__(
        self,
        masks: Sequence[Mask],
        redactor: Redactor | None,
        report: Callable[[Exception], None],
        max_value_bytes: int,
    ) -> None:
        self._masks = tuple(masks)
        self._redactor = redactor
        self._report = report
        self._max_value_bytes = max_value_bytes
        # Names are few and come again and again.
        self.name: Callable[[str], str] = functools.lru_cache(2048)(self._name)

    def part(self, part: TracePart) -> TracePart:
        """Return a part of a trace as it may be kept."""
        return replace(
            part,
            spans=[self._span(span) for span in part.spans],
            tags=self.texts(part.tags),
            metadata=self.texts(part.metadata),
            client_request_id=self._optional(part.client_request_id),
            request_preview=self._optional(part.request_preview),
            response_preview=self._optional(part.response_preview),
        )

    def change(self, change: Edit | Deletion | Facts) -> Edit | Deletion | Facts:
        """Return an edit or facts as they may be kept. Of facts that is what people say of a run or model."""
        if isinstance(change, Facts):
            return self._facts(change)
        if not isinstance(change, Edit):
            return change
        if change.kind in (TAG, METADATA):
            value = None if change.value is None else self._text(change.value, change.key)
            return replace(change, key=self._key(change.key), value=value)
        if change.kind == ASSESSMENT and change.value is not None:
            return replace(change, value=self._assessment(change.value))
        return change

    def texts(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return texts under names, as they may be kept."""
        return {self._key(key): self._text(value, key) for key, value in texts.items()}

    def origin(self, metadata: Mapping[str, str]) -> dict[str, str]:
        """Return what a process says of itself, without secrets: it is no value that a user has set."""
        return {key: self._name(text) for key, text in metadata.items()}

    def _span(self, span: Span) -> Span:
        status = span.status
        return replace(
            span,
            name=self.name(span.name),
            span_type=None if span.span_type is None else self.name(span.span_type),
            status=replace(status, description=self._text(status.description)) if status.description else status,
            inputs_json=None if span.inputs_json is None else self._json(span.inputs_json),
            outputs_json=None if span.outputs_json is None else self._json(span.outputs_json),
            attributes_json=self._jsons(span.attributes_json),
            event_records=tuple(
                RecordedEvent(self.name(each.name), each.timestamp_ns, self._jsons(each.attributes_json))
                for each in span.event_records
            ),
            link_records=tuple(
                RecordedLink(each.trace_id, each.span_id, self._jsons(each.attributes_json))
                for each in span.link_records
            ),
        )

    def _jsons(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {self._key(key): self._json(text, key) for key, text in texts.items()}

    def _optional(self, text: str | None) -> str | None:
        return None if text is None else self._text(text)

    def _key(self, key: str) -> str:
        return key if key in _BINDING else self.name(key)

    def _name(self, name: str) -> str:
        return self._guarded(lambda: name if self._redactor is None else self._redactor.text(name), FAILED)

    def _text(self, text: str, key: str = "") -> str:
        """Return a plain text as it may be kept."""
        if key in _BINDING:
            return text

        def masked() -> str:
            said = text if key in _OF_OURS or not self._masks else to_text(self._asked(text))
            return said if self._redactor is None else self._redactor.text(said, key)

        return self._guarded(masked, FAILED)

    def _json(self, text: str, key: str = "") -> str:
        """Return a JSON text as it may be kept."""

        def masked() -> str:
            said = text
            if self._masks and key not in _OF_OURS:
                value = self._asked(decode_value(text))
                said = encode_value(value, self._max_value_bytes)
            return said if self._redactor is None else self._redactor.json(said, key)

        return self._guarded(masked, f'"{FAILED}"')

    def _assessment(self, text: str) -> str:
        """Return an assessment as it may be kept: of it the user's function sees what people say."""

        def masked() -> str:
            said = text
            if self._masks:
                said = encode_value(self._asked_inside(from_json(text)), 2 * len(text) + self._max_value_bytes)
            return said if self._redactor is None else self._redactor.json(said)

        return self._guarded(masked, text if self._redactor is None and not self._masks else self._without_words(text))

    def _asked_inside(self, form: dict[str, Any]) -> dict[str, Any]:
        return {
            key: self._asked_text(key, value) if key in _ASSESSED else self._asked_inside(value)
            if isinstance(value, dict) else value
            for key, value in form.items()
        }  # fmt: skip

    def _asked_text(self, key: str, value: Any) -> Any:
        """Return what takes the place of a value of an assessment, of the type that it has to have there."""
        if key == "metadata" and isinstance(value, dict):
            return {each: to_text(self._asked(text)) for each, text in value.items()}
        return self._asked(value) if key == "value" else to_text(self._asked(value))

    def _without_words(self, text: str) -> str:
        """Return an assessment whose words could not be masked, without any."""
        form = from_json(text)

        def emptied(form: dict[str, Any]) -> dict[str, Any]:
            return {
                key: {} if key == "metadata" else FAILED if key in _ASSESSED else emptied(value)
                if isinstance(value, dict) else value
                for key, value in form.items()
            }  # fmt: skip

        return encode_value(emptied(form), 2 * len(text) + self._max_value_bytes)

    def _facts(self, facts: Facts) -> Facts:
        """Return what is said of a run or model without secrets: its tags and parameters, its name and description.

        An experiment's name stays, for its id follows from it.
        """
        redactor = self._redactor
        if redactor is None:
            return facts
        masked: dict[str, str | None] = {}
        for key, value in facts.values.items():
            if not key.startswith(_OF_FACTS) and (key != "name" or facts.kind == EXPERIMENT):
                masked[key] = value
            else:
                text = None if value is None else self._fact(redactor, value, key)
                masked[self.name(key)] = text
        return replace(facts, values=masked)

    def _fact(self, redactor: Redactor, value: str, key: str) -> str:
        return self._guarded(lambda: redactor.text(value, key), FAILED)

    def _asked(self, value: Any) -> Any:
        for mask in self._masks:
            value = mask(value)
        return value

    def _guarded(self, masked: Callable[[], str], marker: str) -> str:
        try:
            return masked()
        except Exception as fault:  # noqa: BLE001 - whatever it is, the value is not kept as it was
            self._report(fault)
            return marker
