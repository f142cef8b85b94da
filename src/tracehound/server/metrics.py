"""Numbers about the server, in the form of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from tracehound.store.targets import Target

MEDIA_TYPE: Final = CONTENT_TYPE_LATEST
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The numbers of one application."""

    def __init__(self, target: Target, waiting_bytes: Callable[[], int], listeners: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tracehound_http_requests", "Requests that were answered.", ["method", "route", "status"],
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "tracehound_http_request_seconds", "How long answers took.", ["method", "route"], buckets=_SECONDS,
            registry=self._registry,
        )  # fmt: skip
        self._accepted = Counter("tracehound_spans_accepted", "Spans that are stored.", registry=self._registry)
        self._refused = Counter("tracehound_spans_refused", "Spans that were damaged.", registry=self._registry)
        self._gauge("tracehound_backlog_bytes", "Bytes that wait to be written.", waiting_bytes)
        self._gauge("tracehound_listeners", "How many are told of events.", listeners)
        self._registry.register(_Sizes(target))

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def count_spans(self, accepted: int, refused: int) -> None:
        """Count spans that came in."""
        self._accepted.inc(accepted)
        self._refused.inc(refused)

    def to_text(self) -> bytes:
        """Return all numbers as Prometheus reads them."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, told: str, value: Callable[[], int]) -> None:
        Gauge(name, told, registry=self._registry).set_function(value)


class _Sizes(Collector):
    """How large the files of the store are, looked at when somebody asks."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the sizes of the database, of its log and of what waits in the spool."""
        sizes = GaugeMetricFamily("tracehound_store_bytes", "Sizes of the store's files.", labels=["part"])
        if self._target.path is not None:
            sizes.add_metric(["database"], _size_of(self._target.path))
            sizes.add_metric(["log"], _size_of(self._target.path.with_name(f"{self._target.path.name}-wal")))
        if self._target.spool_directory is not None:
            sizes.add_metric(["spool"], sum(map(_size_of, self._target.spool_directory.glob("*.seg"))))
        yield sizes


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
