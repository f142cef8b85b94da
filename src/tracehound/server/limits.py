"""What one request, and all of them together, may take of a server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerLimits:
    """How much a server takes on.

    `max_body_bytes` bounds the body of a request before and after it was decompressed, `max_json_bytes` that of one
    that brings no spans; it has to come within `body_timeout_s`, and what stands before it within `head_timeout_s` and
    `max_head_bytes`. `max_connections` are served at a time. `max_waiting_bytes` bounds all bodies
    that have not been written yet: what comes on top of them is refused, and may be sent again later. Of these
    `max_decoded_bytes` are decoded at a time, which takes about ten times the memory. Where others keep
    the store locked for longer than `patience_s`, what waits is refused as well. A search ends after
    `search_timeout_s`, and gives at most `max_results` at a time.

    Of events, `max_listeners` may be told at a time, for each of whom `max_unread` messages wait; whoever hears nothing
    hears that, every `heartbeat_s`; the store is asked for changes every `look_every_s`.

    Who reads a trace of which spans are on their way, as clients of MLflow send them, waits `wait_for_spans_s` at most.

    What experiments do not keep any longer is deleted every `sweep_every_s`.
    """

    max_body_bytes: int = 16_000_000
    max_json_bytes: int = 2_000_000
    max_head_bytes: int = 64_000
    head_timeout_s: float = 10.0
    body_timeout_s: float = 60.0
    max_connections: int = 500
    max_waiting_bytes: int = 64_000_000
    max_decoded_bytes: int = 16_000_000
    patience_s: float = 10.0
    max_results: int = 1_000
    search_timeout_s: float = 60.0
    max_listeners: int = 100
    max_unread: int = 1_000
    heartbeat_s: float = 15.0
    look_every_s: float = 0.25
    wait_for_spans_s: float = 3.0
    sweep_every_s: float = 60.0
