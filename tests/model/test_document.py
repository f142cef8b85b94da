"""What a retriever finds, as the outputs of its span."""

from __future__ import annotations

import tracehound
from tracehound.entities import Document, SpanType
from tracehound.testing import recorded_traces


@tracehound.trace(span_type=SpanType.RETRIEVER)
def retrieve(question: str) -> list[Document]:
    return [Document("Bones keep.", {"doc_uri": "bones.md", "score": 0.5}, id="d-1"), Document(question)]


def test_documents_that_a_retriever_returns_are_kept_whole() -> None:
    with recorded_traces() as traces:
        found = retrieve("Do they?")
    (trace,) = traces.traces()
    assert trace.data.spans[0].outputs == [each.to_dict() for each in found]
    assert trace.data.spans[0].outputs[0]["metadata"] == {"doc_uri": "bones.md", "score": 0.5}
