"""Options that several commands have, and the search that they ask for."""

from __future__ import annotations

import dataclasses
import functools
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

from tracehound import runtime
from tracehound.cli.completion import complete_experiment, complete_order
from tracehound.client.formats import ROW_FORMATS
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.ids import experiment_id
from tracehound.model.trace import Experiment
from tracehound.query.fields import TIMESTAMP
from tracehound.query.limit import to_limit
from tracehound.query.search import Search, parse_search
from tracehound.query.suggest import nearest
from tracehound.query.times import parse_interval_ms, parse_time_ms
from tracehound.query.tree import Operator, Test
from tracehound.settings import Settings, read_settings
from tracehound.store.api import Store
from tracehound.store.targets import Target, parse_target

Command = TypeVar("Command", bound=Callable[..., Any])
_MILLISECONDS: Final = re.compile(r"\d{12,14}")
_MANY: Final = 20

store_option = click.option(
    "--store", metavar="URI", help="Where the traces are: a path, or a server: http://host:port."
)
order_option = click.option(
    "--order-by", multiple=True, metavar="FIELD", shell_complete=complete_order,
    help="For example 'latency DESC'; may be given again.",
)  # fmt: skip

timeout_option = click.option(
    "--timeout", metavar="SECONDS", type=click.FloatRange(min=0, min_open=True), help="End the search after so long."
)

row_format_option = click.option(
    "--format", "form", type=click.Choice(["table", *ROW_FORMATS]),
    help="[default: table in a terminal, else as FILE is called, else jsonl]",
)  # fmt: skip
output_option = click.option("--output", "-o", metavar="FILE", help="Write a file, which is there when it is whole.")


@dataclass(frozen=True)
class Scope:
    """Which traces a command is about, before any filter, and how many seconds a search for them may take."""

    store: str | None
    experiments: tuple[str, ...]
    has_all_experiments: bool
    since: str | None = None
    until: str | None = None
    timeout: float | None = None


def scope_options(command: Command) -> Command:
    """Give a command the options of `Scope`, but for times, as one argument `scope`."""
    return _with_scope(command, [])


def search_options(command: Command) -> Command:
    """Give a command the options of `Scope` as one argument `scope`."""
    times = [
        click.option("--since", metavar="TIME",
                     help="Begun so long ago at most (1h, 30m, 2d), or from then on (2025-06-30T14:05, UTC)."),
        click.option("--until", metavar="TIME", help="Begun before: written as --since."),
        timeout_option,
    ]  # fmt: skip
    return _with_scope(command, times)


def _with_scope(command: Command, times: Sequence[Callable[[Command], Command]]) -> Command:
    @functools.wraps(command)
    def run(
        *,
        store: str | None,
        experiment: tuple[str, ...],
        all_experiments: bool,
        since: str | None = None,
        until: str | None = None,
        timeout: float | None = None,
        **others: Any,
    ) -> Any:
        return command(scope=Scope(store, experiment, all_experiments, since, until, timeout), **others)

    decorated: Any = run
    for option in (
        click.option("--all-experiments", is_flag=True, help="Look in all experiments."),
        click.option("--experiment", multiple=True, metavar="NAME", shell_complete=complete_experiment,
                     help="The experiment to look in; may be given again."),
        store_option,
        *reversed(times),
    ):  # fmt: skip
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return] # what was decorated


def use(store: str | None, experiment: str | None = None) -> None:
    """Read from the store and the experiment of the command line; refuse a store that is not there."""
    settings = chosen_settings(store, experiment)
    refuse_missing(parse_target(settings.tracking_uri))
    runtime.replace(runtime.Runtime(settings))


def refuse_missing(target: Target) -> None:
    """Raise `NotFoundError` for the file of a store that is not there."""
    if target.path is not None and not target.path.exists() and not target.has_spool():
        raise NotFoundError(
            f"there are no traces in {target.path}: run a traced program, try `tracehound demo`, or name a --store"
        )


def chosen_settings(store: str | None, experiment: str | None = None) -> Settings:
    """Return the settings of the environment with what the command line says instead."""
    settings = read_settings()
    if store is not None:
        settings = dataclasses.replace(settings, tracking_uri=store)
    return settings if experiment is None else dataclasses.replace(settings, experiment=experiment)


def open_scope(scope: Scope) -> Store:
    """Return the store of the command line, with all in it that is finished."""
    use(scope.store)
    return runtime.current().drained_store()


def experiments_of(scope: Scope, store: Store) -> list[Experiment]:
    """Return the experiments to look in; raise `NotFoundError` for one that was named and has no traces.

    Where none is named it is the active one, whether it has traces or not.
    """
    known = store.experiments()
    if scope.has_all_experiments:
        if scope.experiments:
            raise ArgumentError("give either --experiment or --all-experiments")
        return known
    by_name = {each.name: each for each in known}
    for name in scope.experiments:
        if name not in by_name:
            meant = nearest(name, by_name)
            there = f"did you mean {meant!r}?" if meant else f"there are {', '.join(map(repr, [*by_name][:_MANY]))}"
            raise NotFoundError(
                f"there is no experiment {name!r} with traces; {there if by_name else 'there are none'}"
            )
    names = scope.experiments or (runtime.current().settings.experiment,)
    return [by_name.get(name, Experiment(experiment_id(name), name)) for name in names]


def ask(
    scope: Scope, experiments: Sequence[Experiment], filter_string: str | None, order_by: Sequence[str] | None = None
) -> Search:
    """Return the search for a filter and an order within a scope."""
    now_ms = time.time_ns() // 1_000_000
    search = parse_search([each.experiment_id for each in experiments], filter_string, order_by, now_ms=now_ms)
    since_ms = None if scope.since is None else _moment_ms("--since", scope.since, now_ms)
    until_ms = None if scope.until is None else _moment_ms("--until", scope.until, now_ms)
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise ArgumentError(f"--since {scope.since} is not before --until {scope.until}")
    bounds = ((Operator.GE, since_ms), (Operator.LT, until_ms))
    search = dataclasses.replace(search, time_limit=to_limit(scope.timeout))
    return search.narrowed(*(Test(TIMESTAMP, operator, value) for operator, value in bounds if value is not None))


def _moment_ms(option: str, text: str, now_ms: int) -> int:
    """Return the time that an option names."""
    ago_ms = parse_interval_ms(text)
    if ago_ms is not None:
        return now_ms - ago_ms
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    time_ms = parse_time_ms(text)
    if time_ms is None:
        raise ArgumentError(
            f"{option} takes a length of time such as 1h, 30m or 2d, or a time such as 2025-06-30T14:05Z, not {text!r}"
        )
    return time_ms
