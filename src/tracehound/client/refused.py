"""What a server has refused of what programs of this user sent: to be read, sent once more, or thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracehound.errors import ArgumentError, StoreError
from tracehound.model.edit import ASSESSMENT, DISCARD, METADATA, Change, Deletion, Edit, Facts
from tracehound.model.record import from_json
from tracehound.spool.refused import Refused, find_refused, put_back, read_refused
from tracehound.store.targets import Target


def list_refused(target: Target) -> Iterator[Refused]:
    """Yield the files of what was refused, the oldest first; none for a store that is no server."""
    return read_refused(_folder(target))


def retry_refused(target: Target) -> int:
    """Have all of it sent again with whatever is drained next; return how many files that were."""
    files = find_refused(_folder(target))
    for each in files:
        put_back(each)
    return len(files)


def discard_refused(target: Target) -> int:
    """Throw it away; return how many files that were."""
    files = find_refused(_folder(target))
    try:
        for each in files:
            each.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"what was refused cannot be removed: {error}") from error
    return len(files)


def describe(change: Change) -> str:
    """Return what a change says, in some words.

    >>> describe(Edit("tr-1", "reviewed", "yes", 0))
    'the tag reviewed of tr-1'
    """
    if isinstance(change, Deletion):
        return f"the deletion of {change.trace_id}"
    if isinstance(change, Facts):
        return f"{', '.join(change.values)} of the {change.kind.replace('_', ' ')} {change.subject}"
    if not isinstance(change, Edit):
        what = "the trace" if change.owner is None else "what ran of the trace"
        return f"{what} {change.trace_id} for the experiment {change.experiment!r}"
    if change.kind == ASSESSMENT:
        name = "" if change.value is None else f" {from_json(change.value).get('assessment_name')}"
        return f"the assessment{name} of {change.trace_id}"
    what = {METADATA: "the metadata", DISCARD: "what has not been kept"}.get(change.kind, "the tag")
    return f"{what} {change.key} of {change.trace_id}"


def _folder(target: Target) -> Path:
    if target.spool_directory is None:
        raise ArgumentError("only a server refuses anything: name one with --store")
    return target.spool_directory
