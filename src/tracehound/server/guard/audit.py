"""The audit log: who has deleted traces, and made or revoked tokens, and when.

An entry is kept with what it tells of, in one transaction of the store, as facts of a subject of its own. Nothing of
ours changes or removes one.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracehound.model.edit import AUDIT, Facts
from tracehound.model.record import from_json, to_json
from tracehound.store.api import Store

KIND: Final = AUDIT
DELETED: Final = "traces deleted"
CREATED: Final = "token created"
REVOKED: Final = "token revoked"


@dataclass(frozen=True)
class Entry:
    """Who has done what, and when: the ids of the traces that were deleted, or that of the token; and what else."""

    time_ns: int
    who: str
    what: str
    subjects: tuple[str, ...]
    details: str


def entry(time_ns: int, who: str, what: str, subjects: Sequence[str], details: str = "") -> Facts:
    """Return what is kept of an entry; its own id begins with the time, so that entries sort by it."""
    said: dict[str, str | None] = {"who": who, "what": what, "subjects": to_json(subjects).decode(), "details": details}
    return Facts(KIND, f"{time_ns:019d}-{secrets.token_hex(4)}", said, time_ns)


def read_entries(store: Store) -> list[Entry]:
    """Return the entries, the oldest first."""
    return [
        Entry(int(subject[:19]), said["who"], said["what"], tuple(from_json(said["subjects"])), said["details"])
        for subject, said in sorted(store.facts(KIND).items())
    ]
