"""What is said here of the traces that begin here: an experiment, a run, a model, tags and metadata, or to keep none.

A scope belongs to the context that it was opened in, and what runs there, as everything that is current. Threads that
a program starts by itself have a context of their own: for them a run counts that is the only one active in the
process, and the model that was named last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Final

SOURCE_RUN: Final = "mlflow.sourceRun"
MODEL_ID: Final = "mlflow.modelId"


@dataclass(frozen=True)
class Scope:
    """What is said; None and {} where nothing is. `experiment` is a name, that of the run where there is one.

    `destination` is that of an experiment too, and goes before it.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    experiment: str | None = None
    run_id: str | None = None
    model_id: str | None = None
    is_off: bool = False
    destination: str | None = None

    def trace_experiment(self, active: str) -> str:
        """Return the name of the experiment that a trace goes to, where this one is active."""
        return self.destination or self.experiment or active

    def all_metadata(self) -> dict[str, str]:
        """Return the metadata, with run and model."""
        own = {} if self.run_id is None else {SOURCE_RUN: self.run_id}
        model = {} if self.model_id is None else {MODEL_ID: self.model_id}
        return {**own, **model, **self.metadata}


NOTHING: Final = Scope()
SCOPE: Final[ContextVar[Scope | None]] = ContextVar("tracehound_scope", default=None)


class Common:
    """What counts where no scope says otherwise; `scope` is None while that is nothing."""

    def __init__(self) -> None:
        self.scope: Scope | None = None
        self.is_used = False  # whether anything was ever said: until then a traced call need not ask
        self.last_run_id: str | None = None  # of the run that began last
        self._model_id: str | None = None
        self._destination: str | None = None
        self._runs: dict[str, str] = {}  # the experiments of the active runs

    def begin_run(self, run_id: str, experiment: str) -> None:
        """Note a run that is active from now on."""
        self.last_run_id = run_id
        self._runs = {**self._runs, run_id: experiment}
        self._update()

    def end_run(self, run_id: str) -> None:
        """Note that a run is not active any more."""
        self._runs = {each: experiment for each, experiment in self._runs.items() if each != run_id}
        self._update()

    def set_model(self, model_id: str | None) -> None:
        """Note the model that was named last."""
        self._model_id = model_id
        self._update()

    def set_destination(self, experiment: str | None) -> None:
        """Note the experiment that traces go to, whatever run is active."""
        self._destination = experiment
        self._update()

    def _update(self) -> None:
        only = next(iter(self._runs.items())) if len(self._runs) == 1 else (None, None)
        scope = Scope(run_id=only[0], experiment=only[1], model_id=self._model_id, destination=self._destination)
        self.scope = None if scope == NOTHING else scope
        self.is_used = True


common: Final = Common()


def current_scope() -> Scope | None:
    """Return what is said here of the traces that begin; None for nothing."""
    scope = SCOPE.get()
    if scope is None:
        return common.scope
    if common.scope is None:
        return scope
    has_run = scope.run_id is not None
    return replace(
        scope,
        run_id=scope.run_id if has_run else common.scope.run_id,
        experiment=scope.experiment if has_run or scope.experiment is not None else common.scope.experiment,
        model_id=scope.model_id or common.scope.model_id,
        destination=scope.destination or common.scope.destination,
    )


def own_scope() -> Scope:
    """Return what the context itself says."""
    return SCOPE.get() or NOTHING


def set_scope(scope: Scope) -> None:
    """Let a scope count here from now on; where it says nothing, traces begin as if there had never been one."""
    common.is_used = True
    SCOPE.set(None if scope == NOTHING else scope)


@contextmanager
def within(scope: Scope) -> Iterator[None]:
    """Let a scope count in a block, in place of that around it."""
    before = SCOPE.get()
    set_scope(scope)
    try:
        yield
    finally:
        SCOPE.set(before)  # no token: a generator may go on in another context
