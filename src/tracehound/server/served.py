"""What the routes of one application work with."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracehound.query.limit import SearchLimit
from tracehound.runtime import Runtime
from tracehound.server.events import Announcer
from tracehound.server.gate import Gate
from tracehound.server.guard.guards import Guard
from tracehound.server.guard.rights import EVERYTHING, Rights
from tracehound.server.limits import ServerLimits
from tracehound.server.metrics import Metrics
from tracehound.server.reading import Reader
from tracehound.server.writer import Backlog, Writer
from tracehound.store.api import Store
from tracehound.wire.otlp import Intake

if TYPE_CHECKING:
    from tracehound.server.rows import Row


@dataclass(frozen=True)
class Served:
    """A store, and what is around it.

    `runtime` is how the client's functions reach the store; it has no spool. `readers` are the threads in which the
    `reader` reads what arrives, as much at a time as the `gate` lets in; what comes in other forms passes through the
    `intake`. `experiment_names` are those that requests have named by their ids. Each call has a `time_limit` of its
    own, which is cancelled when whoever asks is gone. `started` tells this server from itself started anew.

    Whoever asks gets a view of it, made for his `rights`, in which the store, the runtime and the writer are narrowed
    to what he may see and change (`guard.views`).
    """

    store: Store
    runtime: Runtime
    limits: ServerLimits
    writer: Writer
    backlog: Backlog
    gate: Gate
    metrics: Metrics
    announcer: Announcer
    readers: Executor
    intake: Intake
    reader: Reader
    experiment_names: dict[str, str]
    rows: Sequence[Row]
    version: str
    time_limit: SearchLimit
    guard: Guard
    rights: Rights = EVERYTHING
    started: str = field(default_factory=lambda: secrets.token_hex(8))
