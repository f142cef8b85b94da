"""The only process-wide state: the settings in force, the open store, the open spool, the spans under way."""

from __future__ import annotations

import atexit
import dataclasses
import functools
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tracehound.context.process import LastTrace, Switch
from tracehound.context.running import OpenSpans, RunningTraces
from tracehound.errors import TAKES_NOTHING, ArgumentError, TracehoundError
from tracehound.model.edit import Deletion, Edit, Facts
from tracehound.model.ids import IdSource, RandomIds
from tracehound.model.ids import experiment_id as id_of_experiment
from tracehound.model.record import replace as replace_field
from tracehound.model.trace import Experiment, TracePart
from tracehound.model.values import clean_text
from tracehound.settings import Settings, check_token, read_settings
from tracehound.spool.spool import FlushReport, Spool
from tracehound.store.api import Store
from tracehound.store.targets import Target, open_store, parse_target

if TYPE_CHECKING:
    from tracehound.screening.screen import Screen

_logger = logging.getLogger("tracehound.runtime")


class Runtime:
    """What one process, up to its next fork, knows about where its traces go."""

    def __init__(
        self,
        settings: Settings,
        ids: IdSource | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        open_spans: OpenSpans | None = None,
        origin: Callable[[], dict[str, str]] | None = None,
        store: Store | None = None,
        drain: Callable[[], None] | None = None,
    ) -> None:
        """`store` is one that is open already, written to without a spool; `drain` brings others' traces into it."""
        self.settings = dataclasses.replace(settings, experiment=clean_text(settings.experiment))
        self.ids: IdSource = RandomIds() if ids is None else ids
        self.clock_ns = clock_ns
        # The spans that run, by the number of their id: a span finds its trace through its parent's id alone, since
        # the parent may be a proxy, a span of the OpenTelemetry SDK, or one of another process.
        self.open_spans: OpenSpans = {} if open_spans is None else open_spans
        self._target = parse_target(settings.tracking_uri)
        self._watch_lock = threading.RLock()
        self._store_lock = threading.RLock()  # its holder may wait long for a file that others keep locked
        self._store = store
        self._drain = drain
        self._spool: Spool | None = None
        self._running: RunningTraces | None = None
        self.is_watching = settings.snapshot_after_s <= 0  # or never will
        self.is_in_force = False
        # Keeps a finished part of a trace.
        self.submit: Callable[[TracePart], None] = self._submit_directly
        if (folder := self._target.spool_directory) is not None and store is None:
            self._spool = Spool(folder, self._open_store, settings, self.origin, self._target.longest_wait_s)
            self._drain = self._spool.drain
            self.submit = self._spool.append
            atexit.register(self._exit)
        self._keep = self.submit
        self._direct = 0
        self._intake: Callable[[TracePart], TracePart] | None = None
        self._read_origin = origin
        self._origin: dict[str, str] | None = None
        self._last_edit_ns = 0
        self.screen: Screen | None = None
        self.arm()

    def arm(self) -> None:
        """Put in force what the settings say of what is kept and how; called when they have changed.

        A traced call pays nothing for what is off: then a part goes to the spool as it is.
        """
        settings = self.settings
        self.screen, self.submit, self._origin = None, self._keep, None
        if settings.changes_what_is_kept:
            from tracehound.screening.screen import make_screen

            self.screen = make_screen(settings, self._target.key_neighbour, faults, self)
            self.submit = functools.partial(self.screen.pass_on, self._keep)

    def owners(self) -> set[str]:
        """Return the names under which this process shows what runs in it."""
        return {"memory"} if self._spool is None else self._spool.owners()

    def watch(self) -> None:
        """Show the traces that run to other processes, from now on; called when a trace begins."""
        with self._watch_lock:
            if self.is_watching:
                return
            self.is_watching = True
            self._running = RunningTraces(
                self.open_spans, self._keep_snapshot, self.clock_ns, self.settings.snapshot_after_s
            )
            self._running.start()

    def show_running(self) -> None:
        """Show at once what runs, since it began when another place was in force."""
        if self.open_spans and not self.is_watching:
            self.watch()
            if self._running is not None:
                self._running.take_all()

    def origin(self) -> dict[str, str]:
        """Return where the traces of this process come from (`context.origin`), as metadata of each."""
        if self._origin is None:
            found = (self._read_origin or _read_origin)()
            self._origin = found if self.screen is None else self.screen.origin(found)
        return self._origin

    def _submit_directly(self, part: TracePart) -> None:
        self._open_store().write([self._read_in(part)])
        self._direct += 1

    def _keep_snapshot(self, part: TracePart) -> bool:
        """Keep what is known of a trace that runs; False where that cannot be done now."""
        if self.screen is not None:
            part = self.screen.part(part)
        if self._spool is not None:
            return self._spool.append_snapshot(part)
        self._open_store().write([self._read_in(replace_field(part, owner="memory"))])
        return True

    def _read_in(self, part: TracePart) -> TracePart:
        """Return a part as a drainer would read it from a spool."""
        if self._intake is None:
            from tracehound.wire.intake import Intake

            self._intake = Intake(self.settings.prices)
        return replace_field(self._intake(part), origin=self.origin())

    def keep_edit(self, edit: Edit | Deletion | Facts) -> None:
        """Keep an edit, a deletion or facts: it is safe when this returns; raise `StoreError` where that cannot be."""
        if self.screen is not None:
            edit = self.screen.change(edit)
        if self._spool is not None:
            self._spool.append_edit(edit)
        else:
            self._open_store().write([edit])

    def edit_time_ns(self) -> int:
        """Return the time of an edit: later than that of every edit before, so that of two the later one counts."""
        with self._watch_lock:
            self._last_edit_ns = max(self.clock_ns(), self._last_edit_ns + 1)
            return self._last_edit_ns

    def drained_store(self) -> Store:
        """Return the store with all in it that any process of this machine has finished, as far as `drain` could."""
        return self.drain()[0]

    def drain(self, *, must_succeed: bool = False) -> tuple[Store, bool]:
        """Bring into the store what any process of this machine has finished; return it, and whether that is all in it.

        Where another program keeps the store locked, that is waited for a second; then, and where the store takes
        nothing for another reason, it is said that the answer may lack what was finished last; or the error is raised.
        """
        store = self._open_store()
        if self._drain is not None:
            try:
                self._drain()
            except TAKES_NOTHING as error:
                if must_succeed:
                    raise
                if not getattr(error, "is_told", False):
                    _logger.warning("%s: what was finished last may be missing here, and is kept in the spool", error)
                return store, False
        return store, True

    def flush(self) -> FlushReport:
        """Bring what is finished into the store and say what became of it."""
        if self._spool is not None:
            return self._spool.flush()
        return FlushReport(self._direct, self._direct, 0, 0)

    def close(self) -> None:
        """Drain and release everything; what the store does not take stays in the spool."""
        atexit.unregister(self._exit)
        if self._running is not None:
            self._running.stop()
        if self._spool is not None:
            self._spool.close()
        self._close_store(timeout_s=-1)

    def abandon(self) -> Settings:
        """Leave files, connections and locks to the parent process, after a fork; return the settings to go on with.

        The connections are kept from being collected: closing them here would drop the locks of the parent.
        """
        atexit.unregister(self._exit)
        for reference in list(self.open_spans.values()):
            span = reference()
            if span is not None:
                span.draft.inherit()
        if self._spool is not None:
            self._spool.abandon()
        _inherited.append(self)
        if self._target.path is None:
            return self.settings
        return dataclasses.replace(self.settings, tracking_uri=str(self._target.path))  # the folder may have changed

    def _exit(self) -> None:
        """End with the interpreter: what still runs is shown as it is, and nothing waits long for a store."""
        if self._running is not None:
            self._running.stop()
            self._running.take_all()
        if self._spool is not None:
            self._spool.exit()
        self._close_store(timeout_s=1.0)

    def _close_store(self, timeout_s: float) -> None:
        """Close the store; what is still at work with it after the timeout, if that is not -1, is left alone."""
        if self._store_lock.acquire(timeout=timeout_s):
            store, self._store = self._store, None
            self._store_lock.release()
            if store is not None:
                store.close()

    def _open_store(self) -> Store:
        with self._store_lock:
            if self._store is None:
                told = self.settings
                self._store = open_store(self._target, allow_network=told.allow_network_filesystem, token=told.token)
            return self._store


faults: Final[Counter[str]] = Counter()  # of capture itself, by the place where they happened
last_trace: Final = LastTrace()
switch: Final = Switch()

_inherited: Final[list[Any]] = []
_beside: Final[dict[Target, Runtime]] = {}  # for other places than the active one
_lock = threading.RLock()
_current: Runtime | None = None


def current() -> Runtime:
    """Return the runtime of this process, made from the environment when it is first asked for."""
    return _current if _current is not None else _begin()


def beside(uri: str) -> Runtime:
    """Return the runtime of another place, for reading and editing what is there; the active one if it is that place.

    It is kept for the rest of the process, as the active one is.
    """
    active, target = current(), parse_target(uri)
    if target == parse_target(active.settings.tracking_uri):
        return active
    with _lock:
        if target not in _beside:
            _beside[target] = Runtime(dataclasses.replace(active.settings, tracking_uri=uri))
        return _beside[target]


def raises_faults() -> bool:
    """Whether faults of capture are to reach the traced program. Asks for no runtime: making one may be the fault."""
    return _current is not None and _current.settings.raise_faults


def replace(runtime: Runtime | None) -> Runtime | None:
    """Put a runtime in force and return the one before it, which the caller closes or puts back."""
    global _current
    with _lock:
        before, _current = _current, runtime
        if before is not None:
            before.is_in_force = False
        if runtime is not None:
            runtime.is_in_force = True
        return before


def configure(**changes: Any) -> Settings:
    """Change settings of what is kept and how, of this place and those beside it; return the settings of before."""
    with _lock:
        before = current().settings
        for each in (current(), *_beside.values()):
            each.settings = dataclasses.replace(each.settings, **changes)
            each.arm()
        return before


def set_tracking_uri(uri: str, *, token: str | None = None) -> None:
    """Keep traces in another place from now on: a path, `sqlite:///path`, `memory://`, or a server, `http://host:port`.

    A server is shown the token. Raise `ArgumentError` for anything else. What was finished before stays, or waits.

    >>> import tracehound
    >>> tracehound.set_tracking_uri("memory://")
    """
    before = current().settings
    _reconfigure(dataclasses.replace(before, tracking_uri=uri, token=check_token(token, "token") or before.token))


def set_experiment(experiment_name: str | None = None, experiment_id: str | None = None) -> Experiment:
    """Make an experiment the active one: new traces go into it, and searches that name none look there.

    One that is named needs no creation: its id follows from its name. Raise `ArgumentError` unless just one of the two
    is given, and `NotFoundError` for an id that no experiment of the store has.

    >>> import tracehound
    >>> tracehound.set_experiment("shop").name
    'shop'
    """
    if (experiment_name is None) == (experiment_id is None):
        raise ArgumentError("set_experiment takes a name, or experiment_id=, and not both")
    runtime = current()
    if experiment_id is not None:
        experiment = find_experiment(runtime, experiment_id)
    else:
        if not isinstance(experiment_name, str) or not experiment_name.strip():
            raise ArgumentError(f"an experiment's name is a text that is not empty, not {experiment_name!r}")
        name = clean_text(experiment_name)
        experiment = Experiment(id_of_experiment(name), name)
    runtime.settings = dataclasses.replace(runtime.settings, experiment=experiment.name)
    return experiment


def find_experiment(runtime: Runtime, number: str) -> Experiment:
    """Return the experiment that has an id; raise `NotFoundError` where none has."""
    from tracehound.store.experiments import find_experiment

    return find_experiment(runtime.drained_store, number)


def flush() -> FlushReport:
    """Bring all finished traces of this process into the store and return what became of them.

    Searches do this by themselves; it is for programs that want to know, or that hand the file on.

    >>> import tracehound
    >>> tracehound.flush().dropped
    0
    """
    return current().flush()


def _read_origin() -> dict[str, str]:
    """Return where traces of this process come from. What it takes to know is loaded with the first trace."""
    from tracehound.context.origin import read_origin

    return read_origin()


def _begin() -> Runtime:
    with _lock:
        if _current is not None:
            return _current
        runtime = Runtime(read_settings())
        replace(runtime)
        _name_experiment(runtime)
        return runtime


def _name_experiment(runtime: Runtime) -> None:
    """Make the experiment active whose id the environment gives; where there is none, say so and go on."""
    number = runtime.settings.experiment_id
    if number is not None:
        try:
            experiment = find_experiment(runtime, number)
        except TracehoundError as error:
            _logger.warning("%s: traces go into the experiment %r", error, runtime.settings.experiment)
        else:
            runtime.settings = dataclasses.replace(runtime.settings, experiment=experiment.name)


def _reconfigure(settings: Settings) -> None:
    with _lock:
        before = _current
        after = Runtime(settings, open_spans=None if before is None else before.open_spans)
        replace(after)
        if before is not None:
            before.close()
            after.show_running()


def _after_fork_in_child() -> None:
    """Give the child files, ids and locks of its own."""
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.RLock()
    for other in _beside.values():
        other.abandon()
    _beside.clear()
    if _current is not None:
        replace(Runtime(_current.abandon()))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
