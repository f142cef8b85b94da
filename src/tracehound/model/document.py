"""What a retriever finds: the outputs of a span of the type RETRIEVER are a list of these."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Document:
    """A piece of text that was found, and what is known of it; `id` tells it from others of its source.

    >>> Document("Bones keep.", {"doc_uri": "bones.md"}).to_dict()
    {'page_content': 'Bones keep.', 'metadata': {'doc_uri': 'bones.md'}, 'id': None}
    """

    page_content: str
    metadata: dict[str, Any] = field(default_factory=dict)
    id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)
