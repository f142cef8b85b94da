"""What is said of all traces that begin in a block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from tracehound.capture.current import about, to_tags, to_texts
from tracehound.context.scope import own_scope, within


@contextmanager
def context(
    metadata: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
    enabled: bool | None = None,  # noqa: FBT001 - MLflow's signature
    session_id: str | Sequence[str] | None = None,
    user: str | None = None,
) -> Iterator[None]:
    """Give the traces that begin in a block tags and metadata, or keep none of them (`enabled=False`).

    Blocks inside of each other add to each other, and the inner one wins; what a trace says of itself goes before both.
    Values are as those of `update_current_trace`.

    >>> import tracehound
    >>> with tracehound.tracing.context(tags={"env": "test"}, session_id="s-1", user="ann"):
    ...     with tracehound.start_span("answer"):
    ...         pass
    >>> tracehound.search_traces("attributes.user = 'ann'", return_type="list")[0].info.tags["env"]
    'test'
    """
    around = own_scope()
    scope = replace(
        around,
        tags={**around.tags, **to_tags(tags)},
        metadata={**around.metadata, **to_texts("metadata", metadata), **about(None, session_id, user)},
        is_off=around.is_off if enabled is None else not enabled,
    )
    with within(scope):
        yield
