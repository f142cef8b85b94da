"""OpenTelemetry's entry points, with our spans behind them: for other people's instrumentation.

Nothing is installed for the whole process unless the program asks for it. Instrumentors take the provider as an
argument; a program that has no other may make it the global one:

    opentelemetry.trace.set_tracer_provider(tracehound.tracing.get_tracer_provider())
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.util._decorator import _agnosticcontextmanager
from opentelemetry.util.types import Attributes

from tracehound.capture.begin import begin_span
from tracehound.capture.live_span import LiveSpan
from tracehound.capture.no_op_span import NoOpSpan
from tracehound.capture.sdk_view import RESOURCE, InstrumentationScope, Resource
from tracehound.capture.shield import report_fault
from tracehound.capture.status import OnException
from tracehound.errors import MissingExtraError
from tracehound.model.span import UNKNOWN
from tracehound.model.values import clean_text, encode_value

if TYPE_CHECKING:
    from tracehound.capture.sdk_processor import TracehoundSpanProcessor

SCOPE_NAME: Final = "otel.scope.name"
SCOPE_VERSION: Final = "otel.scope.version"


def _always() -> bool:
    return True


class Tracer(otel.Tracer):
    """Begins spans for one instrumentation library, whose name they carry as `otel.scope.name`.

    Where `records` says no, the span is one that records nothing, and what is below it stands below its parent.
    """

    def __init__(self, scope: InstrumentationScope, records: Callable[[], bool] = _always) -> None:
        self._records = records
        self.instrumentation_scope = scope
        self.resource = RESOURCE
        told = {SCOPE_NAME: scope.name, SCOPE_VERSION: scope.version}
        self.scope_texts = {key: encode_value(value) for key, value in told.items() if value}

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: otel.SpanKind = otel.SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[otel.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002 - OpenTelemetry's signature
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002 - as above
    ) -> LiveSpan:
        """Return a new span below that of the context, not yet current. `self` may be a proxy around a tracer."""
        try:
            if not self._records():
                return NoOpSpan(name, otel.get_current_span(context).get_span_context())
            span = begin_span(clean_text(str(name)), UNKNOWN, self.scope_texts, context=context)
        except Exception as fault:  # noqa: BLE001 - the shield
            report_fault("start_span", fault)
            return NoOpSpan(name)
        try:
            if span.is_recording():
                span.start()
                told = OnException(record_exception, set_status_on_exception)
                span.join_scope(self.instrumentation_scope, kind, told)
                if attributes:
                    span.set_attributes(attributes)
                for link in links or ():
                    span.add_link(link.context, link.attributes)
                if start_time is not None:
                    span.start(start_time)
        except Exception as fault:  # noqa: BLE001 - the shield; the span has begun and goes on as far as it is known
            report_fault("start_span", fault)
        return span

    @_agnosticcontextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Context | None = None,
        kind: otel.SpanKind = otel.SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[otel.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002 - OpenTelemetry's signature
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002 - as above
        end_on_exit: bool = True,  # noqa: FBT001, FBT002 - as above
    ) -> Iterator[otel.Span]:
        """Make a new span current for the length of a block or function."""
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with otel.use_span(
            span,
            end_on_exit=end_on_exit,
            record_exception=record_exception,
            set_status_on_exception=set_status_on_exception,
        ) as current:
            yield current


class TracerProvider(otel.TracerProvider):
    """Gives instrumentation libraries their tracers.

    `records` is asked when a span begins: an instrumentation that cannot be taken out again is switched off with it.
    """

    resource: Resource = RESOURCE

    def __init__(self, records: Callable[[], bool] = _always) -> None:
        self._records = records

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Tracer:
        """Return the tracer of a library."""
        scope = InstrumentationScope(
            instrumenting_module_name or "", instrumenting_library_version, schema_url, dict(attributes or {})
        )
        return Tracer(scope, self._records)

    def add_span_processor(self, span_processor: Any) -> None:
        """Raise `NotImplementedError`: spans of ours go to the store, and to no processors."""
        raise NotImplementedError("spans of Tracehound go to its store; use an OpenTelemetry SDK for other processors")


_provider: Final = TracerProvider()


def get_tracer_provider() -> TracerProvider:
    """Return the OpenTelemetry tracer provider whose spans become spans of Tracehound's traces.

    >>> import tracehound
    >>> tracer = tracehound.tracing.get_tracer_provider().get_tracer("my.library")
    >>> with tracer.start_as_current_span("fetch") as span:
    ...     span.set_attribute("http.response.status_code", 200)
    >>> trace = tracehound.get_trace(f"tr-{span.get_span_context().trace_id:032x}")
    >>> trace.data.spans[0].get_attribute("otel.scope.name")
    'my.library'
    """
    return _provider


def get_span_processor() -> TracehoundSpanProcessor:
    """Return a span processor for a program that already runs an OpenTelemetry SDK: the SDK's spans and those of
    `trace` and `start_span` become one tree.

    The SDK's sampler decides which of its spans are recorded. Needs the extra `otel-sdk`; raise `MissingExtraError`
    where the SDK is not installed.

    >>> import tracehound
    >>> from opentelemetry.sdk.trace import TracerProvider
    >>> provider = TracerProvider()
    >>> provider.add_span_processor(tracehound.tracing.get_span_processor())
    >>> with provider.get_tracer("my.program").start_as_current_span("serve") as span:
    ...     with tracehound.start_span("answer"):
    ...         pass
    >>> trace = tracehound.get_trace(f"tr-{span.get_span_context().trace_id:032x}")
    >>> [span.name for span in trace.data.spans]
    ['serve', 'answer']
    """
    try:
        from tracehound.capture.sdk_processor import TracehoundSpanProcessor
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            "the span processor is for OpenTelemetry's SDK, which is not installed: pip install 'tracehound[otel-sdk]'"
        ) from missing
    return TracehoundSpanProcessor()
