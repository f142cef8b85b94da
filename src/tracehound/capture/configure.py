"""Capture as a whole: off and on, and what becomes of everything that is captured before it is kept."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

from tracehound import runtime as process
from tracehound.capture.live_span import LiveSpan
from tracehound.capture.processors import to_rework
from tracehound.errors import ArgumentError
from tracehound.settings import check_milliseconds, check_ratio, check_secrets


def disable() -> None:
    """Capture nothing from now on, whatever else is set, until `enable`; what runs already is kept when it ends.

    >>> import tracehound
    >>> tracehound.tracing.disable()
    >>> with tracehound.start_span("unseen") as span:
    ...     span.is_recording()
    False
    >>> tracehound.tracing.enable()
    """
    process.switch.is_off = True


def enable() -> None:
    """Capture again, after `disable`.

    >>> import tracehound
    >>> tracehound.tracing.enable()
    >>> with tracehound.start_span("seen") as span:
    ...     span.is_recording()
    True
    """
    process.switch.is_off = False


def configure(
    span_processors: Sequence[Callable[[LiveSpan], object]] | None = None,
    *,
    mask: Callable[[Any], Any] | Sequence[Callable[[Any], Any]] | None = None,
    redact: bool | str | Iterable[str] | None = None,
    redaction_key: str | None = None,
    tail_sampling_ratio: float | None = None,
    slower_than_ms: float | None = None,
) -> Configured:
    """Say what is kept of everything that is captured, and how. What is not given stays as it was.

    `tail_sampling_ratio` is the share that is kept of the traces that have gone well, decided when each ends; those in
    which something failed, and those that took `slower_than_ms` or longer, are all kept. In statistics the kept ones
    count as often as they stand for. 1 keeps all.

    `redact` takes secrets out of all texts: `"api_key"`, `"bearer_token"`, `"credit_card"`, `"email"`, several of them,
    or `True` for all. What stands in the place of one is the same wherever it comes, so that traces can still be joined
    by it; it is made with a key that lies beside the store, or with `redaction_key`, a text of your own.

    `mask` is a function, or several in their order: each gets a value as JSON has it (the inputs and outputs of a span,
    an attribute, a tag, a comment) and returns what is kept in its place. Where it raises, "[MASK_FAILED]" is kept.

    `span_processors` are functions that each get a whole span, once it has ended, and may change it: `set_inputs`,
    `set_outputs`, `set_attribute`. Those that raise are ignored, as MLflow has it; what must not be kept is for `mask`.

    Secrets are taken out last, of what the others return. All of this happens in the thread of the traced call, before
    anything is on disk. An empty list switches each of them off. In a `with` statement it holds in the block.

    Raises `ArgumentError` for what is no function, no ratio, no time, and for a secret of no kind.

    >>> import tracehound
    >>> with tracehound.tracing.configure(redact="email", mask=lambda value: value):
    ...     with tracehound.start_span("answer") as span:
    ...         span.set_inputs({"from": "tom@example.org"})
    >>> tracehound.get_trace(span.trace_id).data.spans[0].inputs["from"][:7]
    '[EMAIL_'
    """
    changes: dict[str, Any] = {}
    if span_processors is not None:
        changes["rework_span"] = to_rework([_check_processor(each) for each in span_processors])
    if mask is not None:
        masks = mask if isinstance(mask, (list, tuple)) else [mask]
        changes["masks"] = tuple(_check_function("mask", each) for each in masks)
    if redact is not None:
        changes["redact"] = check_secrets(redact, "redact")
    if redaction_key is not None:
        changes["redaction_key"] = str(redaction_key) or None
    if tail_sampling_ratio is not None:
        changes["tail_sampling_ratio"] = check_ratio(tail_sampling_ratio, "tail_sampling_ratio")
    if slower_than_ms is not None:
        changes["slower_than_ms"] = check_milliseconds(slower_than_ms, "slower_than_ms")
    before = process.configure(**changes)
    return Configured({name: getattr(before, name) for name in changes})


class Configured:
    """What was configured; as a context manager it takes it back at the end of the block."""

    def __init__(self, before: dict[str, Any]) -> None:
        self._before = before

    def __enter__(self) -> None:
        """Do nothing: it has been configured already."""

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, stack: TracebackType | None
    ) -> None:
        """Configure it as it was before."""
        process.configure(**self._before)


def redacted(text: str) -> str:
    """Return a text as it would be kept here: to find by it what has been kept without it.

    >>> import tracehound
    >>> with tracehound.tracing.configure(redact="email"):
    ...     with tracehound.start_span("answer"):
    ...         tracehound.update_current_trace(user="tom@example.org")
    ...     person = tracehound.tracing.redacted("tom@example.org")
    >>> len(tracehound.search_traces(f"attributes.user = '{person}'", return_type="list"))
    1
    """
    if not isinstance(text, str):
        raise ArgumentError(f"only a text can be redacted, not {text!r}")
    screen = process.current().screen
    return text if screen is None else screen.text(text)


def _check_function(name: str, given: object) -> Callable[[Any], Any]:
    if not callable(given):
        raise ArgumentError(
            f"{name} is a function that takes a value and returns one, or a list of such, not {given!r}"
        )
    return given


def _check_processor(given: object) -> Callable[[LiveSpan], object]:
    """Return a span processor; raise `ArgumentError` for what cannot be called with a span alone."""
    found = _check_function("a span processor", given)
    try:
        inspect.signature(found).bind(None)
    except TypeError:
        raise ArgumentError(f"a span processor takes one argument, the span; {given!r} does not") from None
    except ValueError:  # of a builtin nothing is known
        pass
    return found
