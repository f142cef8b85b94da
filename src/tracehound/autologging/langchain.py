"""LangChain's instrumentation, with its spans current while their steps run.

OpenInference's tracer hears of beginnings and ends by callbacks, and makes no span current, since an end may never
come. Then what a step calls stands beside it: a traced function inside of a chain would be a trace of its own, and a
call that LangChain makes with OpenAI's client would be told, and counted, twice.

LangChain runs what a step calls in a context of its own, where its own tracer (LangSmith's) finds the step; there the
span is made current as well, and nothing of it is left behind. The call of a model has no such context. Its span is
current from the callback at its beginning on, until it has ended, whether somebody says so or not (`capture.attached`).
"""

from __future__ import annotations

import importlib
import logging
from typing import Any, Final

from tracehound.autologging.switch import Instrumentor
from tracehound.capture.attached import attach, detach_ended

_logger: Final = logging.getLogger("tracehound.autolog")

# Where the context of a step is made; LangGraph has a copy.
_CONTEXTS: Final = ("langchain_core.runnables.config", "langgraph._internal._runnable")
_SET_CONTEXT: Final = "_set_config_context"
_CALLS_OF_MODELS: Final = ("llm", "chat_model")


class NestingLangChain:
    """OpenInference's `LangChainInstrumentor`, whose spans are current."""

    tracer: Any = None  # theirs, while it is in; LangChain's functions are wrapped once and for all
    _is_wrapped = False

    def __init__(self, instrumentor: Any) -> None:
        self._theirs: Instrumentor = instrumentor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._theirs, name)

    def instrument(self, **options: Any) -> None:
        """Instrument LangChain, and make spans current where their steps run."""
        self._theirs.instrument(**options)
        tracer = self._tracer
        begin, end = tracer._start_trace, tracer._end_trace

        def begin_and_attach(run: Any) -> None:
            begin(run)
            if run.run_type in _CALLS_OF_MODELS:
                _attach_span_of(tracer, run.id)

        def end_and_detach(run: Any) -> None:
            run.error = _shortened(run.error)
            end(run)
            detach_ended()

        tracer._start_trace, tracer._end_trace = begin_and_attach, end_and_detach
        # LangChain runs handlers that do not say so in threads of their own, where no span is current for the step.
        tracer.run_inline = True
        NestingLangChain.tracer = tracer
        _wrap_contexts()

    def uninstrument(self) -> None:
        """Take theirs out; ours goes with it."""
        NestingLangChain.tracer = None
        self._theirs.uninstrument()


def _wrap_contexts() -> None:
    """Make the span of a step current in its context, which is a copy that goes away with the step."""
    if NestingLangChain._is_wrapped:
        return
    NestingLangChain._is_wrapped = True
    wrapt = importlib.import_module("wrapt")

    def set_context(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        token = wrapped(*args, **kwargs)
        config = args[0] if args else kwargs.get("config")
        callbacks = config.get("callbacks") if isinstance(config, dict) else None
        _attach_span_of(NestingLangChain.tracer, getattr(callbacks, "parent_run_id", None))
        return token

    def wrap(module: Any) -> None:
        if hasattr(module, _SET_CONTEXT):
            wrapt.wrap_function_wrapper(module, _SET_CONTEXT, set_context)
        else:
            _logger.debug("%s has no %s: what steps call is not put below them", module.__name__, _SET_CONTEXT)

    for name in _CONTEXTS:
        wrapt.register_post_import_hook(wrap, name)


def _attach_span_of(tracer: Any, run_id: object) -> None:
    """Make the span of a run current here, if there is one."""
    span = None if tracer is None or run_id is None else tracer.get_span(run_id)
    if span is not None:
        attach(span)


def _shortened(error: str | None) -> str | None:
    """Return what a run says of its error, which is this tracer's own copy, without the traceback: an event has that.

    A stream that its reader leaves is no error.
    """
    if error is None or error.startswith("GeneratorExit"):
        return None
    return error.partition("Traceback (most recent call last)")[0] or error
