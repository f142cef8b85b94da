"""Rights: what a route takes to be used, and what somebody has.

A role is a row of the table. What somebody may do in which experiments is looked at where the store is reached
(`guard.narrowed`), and not by the routes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from tracehound.errors import TracehoundError


class Right(str, Enum):
    """What somebody has to be allowed to use a route. Anybody may do NONE, and ANY takes a token of whatever role."""

    NONE = "none"
    ANY = "any"
    INGEST = "ingest"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Role(str, Enum):
    """What a token is made for."""

    INGEST = "ingest"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class DeniedError(TracehoundError):
    """Whoever asks may not do that."""


class OtherExperimentError(DeniedError):
    """Traces that are sent to an experiment which is not the sender's: with another token they could be kept."""


_USUAL: Final = frozenset({Right.NONE, Right.ANY})
GIVEN: Final[dict[Role, frozenset[Right]]] = {
    Role.INGEST: _USUAL | {Right.INGEST},
    Role.READ: _USUAL | {Right.READ},
    Role.WRITE: _USUAL | {Right.INGEST, Right.READ, Right.WRITE},
    Role.ADMIN: frozenset(Right),
}


@dataclass(frozen=True)
class Rights:
    """What somebody may do: `who` is how the audit log names him; no `experiment_ids` are all experiments."""

    who: str
    allowed: frozenset[Right]
    experiment_ids: frozenset[str] | None = None

    def need(self, right: Right) -> None:
        """Raise `DeniedError` where this right is missing."""
        if right not in self.allowed:
            raise DeniedError(f"this takes a token that may {_MAY[right]}, and {self.who} may not")

    def need_all_experiments(self, what: str) -> None:
        """Raise `DeniedError` where some experiments are not to be seen: this is of all of them."""
        if self.experiment_ids is not None:
            raise DeniedError(f"{what} of all experiments: it takes a token that is not limited to some")

    def include(self, experiment_id: str) -> bool:
        """Whether the experiment is among those that this is about."""
        return self.experiment_ids is None or experiment_id in self.experiment_ids


_MAY: Final = {
    Right.NONE: "do nothing",
    Right.ANY: "do something",
    Right.INGEST: "send traces",
    Right.READ: "read",
    Right.WRITE: "annotate",
    Right.ADMIN: "delete and administer",
}
EVERYTHING: Final = Rights("anybody", GIVEN[Role.ADMIN])
NOTHING: Final = Rights("nobody", frozenset({Right.NONE}), frozenset())
