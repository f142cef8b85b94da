"""The command `tracehound`: arguments in, tables out, errors on stderr.

Exit codes: 0 done, 1 what was named is not there or the store cannot be used, 2 the command line or a filter is wrong.
"""

from __future__ import annotations

import dataclasses
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tracehound import __version__, runtime
from tracehound.cli.care import run_backup, run_doctor
from tracehound.cli.demo import run_demo
from tracehound.cli.gc import run_gc
from tracehound.cli.render import print_explanation, print_search, print_trace
from tracehound.client.search import explain_search, get_trace, search_traces
from tracehound.errors import ArgumentError, FilterError, NotFoundError, TracehoundError
from tracehound.model.ids import experiment_id
from tracehound.settings import Settings, read_settings
from tracehound.store.targets import parse_target


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tracehound")
def cli() -> None:
    """See what a GenAI application did: search its traces and look at one."""


_store = click.option("--store", metavar="URI", help="Where the traces are: a path or sqlite:///path.")
_experiment = click.option("--experiment", metavar="NAME", help="The experiment to search.")


@cli.command()
@click.argument("filter_string", metavar="[FILTER]", required=False)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="Show at most so many.")
@click.option("--order-by", multiple=True, metavar="FIELD", help="For example 'latency DESC'; may be given again.")
@click.option("--explain", "is_explained", is_flag=True, help="Show how the answer is found, or why it is empty.")
@_store
@_experiment
def search(
    filter_string: str | None,
    limit: int,
    order_by: tuple[str, ...],
    store: str | None,
    experiment: str | None,
    *,
    is_explained: bool,
) -> None:
    """Show the traces that FILTER is true of, newest first.

    For example: tracehound search "attributes.status = 'ERROR' AND tags.env = 'prod'"
    """
    _use(store, experiment)
    if is_explained:
        print_explanation(explain_search(None, filter_string, limit, order_by or None))
    else:
        print_search(search_traces(None, filter_string, limit, order_by or None, return_type="list"))


@cli.command()
@click.argument("trace_id")
@_store
def show(trace_id: str, store: str | None) -> None:
    """Show one trace: its spans as a tree, with what went in and out."""
    _use(store, None)
    whole_id = trace_id if trace_id.startswith("tr-") else f"tr-{trace_id}"
    trace = get_trace(whole_id, silent=True)
    if trace is None:
        raise NotFoundError(f"there is no trace {whole_id} in {runtime.current().settings.tracking_uri}")
    print_trace(trace)


@cli.command()
@click.option("--older-than", metavar="AGE", required=True, help="How old: 12h, 30d, 8w.")
@_store
@click.option("--experiment", metavar="NAME", help="Of this experiment alone.")
def gc(older_than: str, store: str | None, experiment: str | None) -> None:
    """Delete the traces that began longer ago than AGE, and give the space back to the file system.

    Programs go on writing meanwhile. Ctrl-C stops it; what has been deleted until then stays deleted.
    """
    _use(store, experiment)
    run_gc(older_than, None if experiment is None else [experiment_id(experiment)])


@cli.command()
@click.option(
    "--store", metavar="URI", default="tracehound-demo.db", show_default=True, help="Where to keep the traces."
)
@click.option("--questions", default=120, show_default=True, type=click.IntRange(min=1), help="How many to ask.")
def demo(store: str, questions: int) -> None:
    """Run a small question-answering application and show what its traces tell."""
    run_demo(store, questions)


@cli.command()
@click.option("--full", is_flag=True, help="Check every page, every index entry and every trace.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_store
def doctor(full: bool, as_json: bool, store: str | None) -> None:  # noqa: FBT001 - the options of the command
    """Say what is installed, what the store holds and what is wrong with it. Changes nothing."""
    target = parse_target(store or read_settings().tracking_uri)
    sys.exit(run_doctor(target, is_full=full, as_json=as_json))


@cli.command()
@click.argument("destination", type=click.Path(path_type=Path))
@_store
def backup(destination: Path, store: str | None) -> None:
    """Copy the store into a new file DESTINATION, while others use it.

    The copy is a store itself. To restore it, end the programs that use the store and put the copy in its place.
    """
    _use(store, None)
    run_backup(destination)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old code page has no tree and no ✗
    try:
        cli.main(None if arguments is None else list(arguments), prog_name="tracehound")
    except TracehoundError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2 if isinstance(error, (FilterError, ArgumentError)) else 1)


def _use(store: str | None, experiment: str | None) -> None:
    """Read from the store and the experiment of the command line; refuse a store that is not there."""
    settings: Settings = read_settings()
    if store is not None:
        settings = dataclasses.replace(settings, tracking_uri=store)
    if experiment is not None:
        settings = dataclasses.replace(settings, experiment=experiment)
    target = parse_target(settings.tracking_uri)
    if target.path is not None and not target.path.exists() and not target.has_spool():
        raise NotFoundError(
            f"there are no traces in {target.path}: run a traced program, try `tracehound demo`, or name a --store"
        )
    runtime.replace(runtime.Runtime(settings))
