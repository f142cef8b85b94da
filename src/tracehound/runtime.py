"""The only process-wide state: the settings in force, the open store, the open spool, the traces under way."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from tracehound.context.draft import TraceDraft
from tracehound.errors import ArgumentError
from tracehound.model.ids import IdSource, RandomIds, experiment_id
from tracehound.model.trace import Experiment, TracePart
from tracehound.model.values import clean_text
from tracehound.settings import Settings, read_settings
from tracehound.spool.spool import FlushReport, Spool
from tracehound.store.api import Store
from tracehound.store.targets import open_store, parse_target


class Runtime:
    """What one process, up to its next fork, knows about where its traces go."""

    def __init__(
        self, settings: Settings, ids: IdSource | None = None, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.settings = settings
        self.ids: IdSource = RandomIds() if ids is None else ids
        self.clock_ns = clock_ns
        # The traces whose local root is running, by the number of their id: a span finds its trace through its
        # parent's id alone, since the parent may be a proxy or have come from another process.
        self.drafts: dict[int, TraceDraft] = {}
        self._target = parse_target(settings.tracking_uri)
        self._lock = threading.RLock()
        self._store: Store | None = None
        self._spool: Spool | None = None
        if self._target.spool_directory is not None:
            self._spool = Spool(self._target.spool_directory, self._open_store, settings)
        self._direct = 0

    def submit(self, part: TracePart) -> None:
        """Keep a finished part of a trace."""
        if self._spool is not None:
            self._spool.append(part)
        else:
            self._open_store().write([part])
            self._direct += 1

    def drained_store(self) -> Store:
        """Return the store with all in it that any process of this machine has finished."""
        store = self._open_store()
        if self._spool is not None:
            self._spool.drain()
        return store

    def flush(self) -> FlushReport:
        """Bring what is finished into the store and say what became of it."""
        if self._spool is not None:
            return self._spool.flush()
        return FlushReport(self._direct, self._direct, 0, 0)

    def close(self) -> None:
        """Drain and release everything; what the store does not take stays in the spool."""
        if self._spool is not None:
            self._spool.close()
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None

    def abandon(self) -> Settings:
        """Leave files, connections and locks to the parent process, after a fork; return the settings to go on with.

        The connections are kept from being collected: closing them here would drop the locks of the parent.
        """
        if self._spool is not None:
            self._spool.abandon()
        _inherited.append(self)
        if self._target.path is None:
            return self.settings
        return dataclasses.replace(self.settings, tracking_uri=str(self._target.path))  # the folder may have changed

    def _open_store(self) -> Store:
        with self._lock:
            if self._store is None:
                self._store = open_store(self._target)
            return self._store


# Faults of capture itself, by the place where they happened.
faults: Final[Counter[str]] = Counter()

_inherited: Final[list[Any]] = []
_lock = threading.RLock()
_current: Runtime | None = None


def current() -> Runtime:
    """Return the runtime of this process, made from the environment when it is first asked for."""
    return _current if _current is not None else _begin()


def raises_faults() -> bool:
    """Whether faults of capture are to reach the traced program. Asks for no runtime: making one may be the fault."""
    return _current is not None and _current.settings.raise_faults


def replace(runtime: Runtime | None) -> Runtime | None:
    """Put a runtime in force and return the one before it, which the caller closes or puts back."""
    global _current
    with _lock:
        before, _current = _current, runtime
        return before


def set_tracking_uri(uri: str) -> None:
    """Keep traces in another place from now on: a path, `sqlite:///path` or `memory://`.

    Raise `ArgumentError` for anything else. What was finished before stays where it is.

    >>> import tracehound
    >>> tracehound.set_tracking_uri("memory://")
    """
    _reconfigure(dataclasses.replace(current().settings, tracking_uri=uri))


def set_experiment(experiment_name: str) -> Experiment:
    """Make an experiment the active one: new traces go into it, and searches that name none look there.

    It needs no creation: it exists as soon as it has a trace, and its id follows from its name.

    >>> import tracehound
    >>> tracehound.set_experiment("shop").name
    'shop'
    """
    if not isinstance(experiment_name, str) or not experiment_name.strip():  # type: ignore[redundant-expr] # untyped callers
        raise ArgumentError(f"an experiment's name is a text that is not empty, not {experiment_name!r}")
    runtime = current()
    name = clean_text(experiment_name)
    runtime.settings = dataclasses.replace(runtime.settings, experiment=name)
    return Experiment(experiment_id(name), name)


def flush() -> FlushReport:
    """Bring all finished traces of this process into the store and return what became of them.

    Searches do this by themselves; it is for programs that want to know, or that hand the file on.

    >>> import tracehound
    >>> tracehound.flush().dropped
    0
    """
    return current().flush()


def _begin() -> Runtime:
    with _lock:
        if _current is not None:
            return _current
        runtime = Runtime(read_settings())
        replace(runtime)
        return runtime


def _reconfigure(settings: Settings) -> None:
    with _lock:
        before = replace(Runtime(settings))
        if before is not None:
            before.close()


def _after_fork_in_child() -> None:
    """Give the child files, ids and locks of its own."""
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.RLock()
    if _current is not None:
        replace(Runtime(_current.abandon()))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
