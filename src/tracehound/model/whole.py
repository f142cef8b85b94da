"""A whole trace -> the changes that make it: for files of traces, which stores write and read.

What follows from the spans is not said again. What is there beyond that, and what is not there although it would
follow, is said by the part or, where no part can say it, by an edit. Other parts that arrive have their say as ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tracehound.model.assessment import Assessment
from tracehound.model.edit import ASSESSMENT, METADATA, TAG, Edit
from tracehound.model.merge import merge_parts
from tracehound.model.record import replace, to_json_text
from tracehound.model.reserved import ARTIFACT_LOCATION
from tracehound.model.span import Span
from tracehound.model.trace import Trace, TracePart

TEXTS: Final = ("client_request_id", "request_preview", "response_preview")


@dataclass(frozen=True)
class Whole:
    """A trace as one part, with what only edits can say: assessments, and tags and metadata that were removed."""

    part: TracePart
    assessments: tuple[Assessment, ...] = ()
    without_tags: tuple[str, ...] = ()
    without_metadata: tuple[str, ...] = ()

    def to_edits(self) -> list[Edit]:
        """Return what the part cannot say. An assessment was written when it was last changed."""
        part = self.part
        removed = ((TAG, self.without_tags), (METADATA, self.without_metadata))
        return [
            *(Edit(part.trace_id, key, None, part.written_ns, kind) for kind, keys in removed for key in keys),
            *(_edit_of(each, part.trace_id) for each in self.assessments),
        ]


def to_whole(trace: Trace, experiment: str) -> Whole:
    """Return what makes a trace that has ended, of the experiment of that name."""
    info, spans = trace.info, trace.data.spans
    part = TracePart(info.trace_id, experiment, written_ns_of(spans), spans)
    follows = merge_parts([part]).info  # the address among the tags as well, which is that of this experiment
    texts = {name: getattr(info, name) for name in TEXTS if getattr(info, name) != getattr(follows, name)}
    part = replace(
        part,
        tags=_beyond(info.tags, follows.tags),
        metadata=_beyond(info.trace_metadata, follows.trace_metadata),
        state=None if info.state is follows.state else info.state,
        **texts,
    )
    return Whole(
        part,
        tuple(info.assessments),
        tuple(sorted(follows.tags.keys() - info.tags.keys())),
        tuple(sorted(follows.trace_metadata.keys() - info.trace_metadata.keys())),
    )


def written_ns_of(spans: list[Span]) -> int:
    """Return when a part with these spans was written, as far as they tell."""
    return max(span.end_time_ns or span.start_time_ns for span in spans)


def _beyond(texts: dict[str, str], known: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in sorted(texts.items()) if known.get(key) != value and key != ARTIFACT_LOCATION}


def _edit_of(assessment: Assessment, trace_id: str) -> Edit:
    written_ns = assessment.last_update_time_ms * 1_000_000
    return Edit(trace_id, str(assessment.assessment_id), to_json_text(assessment.to_dict()), written_ns, ASSESSMENT)
