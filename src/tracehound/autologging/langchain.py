"""LangChain's instrumentation, with its spans current while their steps run.

OpenInference's tracer hears of beginnings and ends by callbacks, and makes no span current, since an end may never
come. Then what a step calls stands beside it: a traced function inside of a chain would be a trace of its own, and a
call that LangChain makes with OpenAI's client would be told, and counted, twice. Here a span is current from its
beginning on until it has ended, whether somebody says so or not (`capture.attached`).
"""

from __future__ import annotations

from typing import Any

from tracehound.autologging.switch import Instrumentor
from tracehound.capture.attached import attach, detach_ended


class NestingLangChain:
    """OpenInference's `LangChainInstrumentor`, whose spans are current."""

    def __init__(self, instrumentor: Any) -> None:
        self._theirs: Instrumentor = instrumentor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._theirs, name)

    def instrument(self, **options: Any) -> None:
        """Instrument LangChain, and make spans current when runs begin."""
        self._theirs.instrument(**options)
        tracer = self._tracer
        begin, end = tracer._start_trace, tracer._end_trace

        def begin_and_attach(run: Any) -> None:
            begin(run)
            span = tracer.get_span(run.id)
            if span is not None:
                attach(span)

        def end_and_detach(run: Any) -> None:
            run.error = _shortened(run.error)
            end(run)
            detach_ended()

        tracer._start_trace, tracer._end_trace = begin_and_attach, end_and_detach
        # LangChain runs handlers that do not say so in threads of their own, where no span is current for the step.
        tracer.run_inline = True

    def uninstrument(self) -> None:
        """Take theirs out; ours goes with it."""
        self._theirs.uninstrument()


def _shortened(error: str | None) -> str | None:
    """Return what a run says of its error, which is this tracer's own copy, without the traceback: an event has that.

    A stream that its reader leaves is no error.
    """
    if error is None or error.startswith("GeneratorExit"):
        return None
    return error.partition("Traceback (most recent call last)")[0] or error
