"""Tokens: `th_` with an id, by which they are looked up, and a secret of 256 random bits.

The store keeps the hash of a token and never the token: what is so random cannot be guessed from its SHA-256. A token
is facts of the store that it is for, so that it counts at once in every process that serves the store. One that was
revoked stays known: who had tokens is never open again because none is left.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracehound.errors import NotFoundError
from tracehound.model.edit import ACCESS, Facts
from tracehound.model.ids import experiment_id
from tracehound.model.record import from_json, to_json
from tracehound.server.guard import audit
from tracehound.server.guard.rights import GIVEN, Rights, Role
from tracehound.store.api import Store

KIND: Final = ACCESS
_FORM: Final = re.compile(r"th_([0-9a-f]{12})_[0-9a-f]{64}")


@dataclass(frozen=True)
class Token:
    """What is known of a token: no `experiments` are all of them, no time that it never expires."""

    token_id: str
    digest: str
    role: Role
    name: str
    experiments: tuple[str, ...] | None
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None

    @property
    def who(self) -> str:
        """How its holder is called."""
        return f"the token {self.token_id} ({self.name})" if self.name else f"the token {self.token_id}"

    @property
    def rights(self) -> Rights:
        """What its holder may do."""
        ids = None if self.experiments is None else frozenset(map(experiment_id, self.experiments))
        return Rights(self.who, GIVEN[self.role], ids)

    def state(self, now_ms: int) -> str:
        """Return whether it counts: `in force`, `expired` or `revoked`."""
        if self.revoked_ms is not None:
            return "revoked"
        return "expired" if self.expires_ms is not None and self.expires_ms <= now_ms else "in force"

    def is_that(self, text: str) -> bool:
        """Whether the text is this token; how long this takes tells nothing of it."""
        return hmac.compare_digest(_digest(text), self.digest)


def id_in(text: str) -> str | None:
    """Return the id in the text of a token; None for what is none."""
    found = _FORM.fullmatch(text)
    return None if found is None else found[1]


def create_token(
    store: Store,
    role: Role,
    who: str,
    *,
    name: str = "",
    experiments: Sequence[str] | None = None,
    expires_ms: int | None = None,
) -> tuple[str, Token]:
    """Make a token and return its text, which is never seen again, and what is kept of it."""
    now_ns = time.time_ns()
    token_id = secrets.token_hex(6)
    text = f"th_{token_id}_{secrets.token_hex(32)}"
    limited = None if experiments is None else tuple(dict.fromkeys(experiments))
    made = Token(token_id, _digest(text), role, name, limited, now_ns // 1_000_000, expires_ms, None)
    said = f"{role.value} {'all experiments' if limited is None else ', '.join(limited)}"
    store.write([_to_facts(made, now_ns), audit.entry(now_ns, who, audit.CREATED, (token_id,), said)])
    return text, made


def revoke_token(store: Store, token_id: str, who: str) -> Token:
    """Make a token count no more; raise `NotFoundError` where there is none with this id."""
    known = next((each for each in read_tokens(store) if each.token_id == token_id), None)
    if known is None:
        raise NotFoundError(f"there is no token {token_id!r}; `tracehound token list` shows their ids")
    if known.revoked_ms is None:
        now_ns = time.time_ns()
        said: dict[str, str | None] = {"revoked_ms": str(now_ns // 1_000_000)}
        entry = audit.entry(now_ns, who, audit.REVOKED, (token_id,))
        store.write([Facts(KIND, token_id, said, now_ns), entry])
    return known


def read_tokens(store: Store) -> list[Token]:
    """Return what is known of all tokens that were ever made, the oldest first."""
    found = [_of_facts(token_id, said) for token_id, said in store.facts(KIND).items()]
    return sorted(found, key=lambda each: (each.created_ms, each.token_id))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _to_facts(token: Token, written_ns: int) -> Facts:
    said: dict[str, str | None] = {
        "digest": token.digest,
        "role": token.role.value,
        "name": token.name,
        "experiments": to_json(token.experiments).decode(),
        "created_ms": str(token.created_ms),
        "expires_ms": None if token.expires_ms is None else str(token.expires_ms),
    }
    return Facts(KIND, token.token_id, said, written_ns)


def _of_facts(token_id: str, said: dict[str, str]) -> Token:
    experiments = from_json(said["experiments"])
    return Token(
        token_id=token_id,
        digest=said["digest"],
        role=Role(said["role"]),
        name=said["name"],
        experiments=None if experiments is None else tuple(experiments),
        created_ms=int(said["created_ms"]),
        expires_ms=int(said["expires_ms"]) if "expires_ms" in said else None,
        revoked_ms=int(said["revoked_ms"]) if "revoked_ms" in said else None,
    )
