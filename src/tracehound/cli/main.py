"""The command `tracehound`: arguments in; tables in a terminal, JSON for other programs; errors on stderr.

Exit codes: 0 done; 1 what was named is not there, the store cannot be used, or part of the work could not be done; 2
the command line or a filter is wrong; 130 ended by Ctrl-C (which is how `search --watch` ends: 0). A reader that closes
the pipe, such as `head`, has seen enough: that ends quietly with 0.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from tracehound import __version__
from tracehound.cli import keeping
from tracehound.cli.commands import ClosedPipeError, Commands
from tracehound.cli.compare import compare
from tracehound.cli.completion import SHELLS, complete_fields, complete_order, completion_script
from tracehound.cli.options import (
    Scope,
    order_option,
    output_option,
    row_format_option,
    scope_options,
    search_options,
    store_option,
    timeout_option,
)
from tracehound.cli.saved import saved
from tracehound.cli.server import server, ui
from tracehound.cli.tagging import experiments, tags
from tracehound.cli.tokens import audit, token
from tracehound.cli.warehouse import warehouse
from tracehound.errors import ArgumentError, FilterError, TracehoundError

_INTERRUPTED: Final = 130
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?")


class _Limit(click.ParamType[int]):
    """How many: a number from 1 up, or `all`, which is 0."""

    name = "N|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "all":
            return 0
        return click.IntRange(min=1).convert(value, param, ctx)


class _SearchCommand(click.Command):
    """A command whose `--watch` may stand alone, also before the filter."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--watch") if "--watch" in args else None
        if at is not None and not (at + 1 < len(args) and _NUMBER.fullmatch(args[at + 1])):
            args = [*args[:at], "--watch=2", *args[at + 1 :]]
        return super().parse_args(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tracehound")
def cli() -> None:
    """See what a GenAI application did: search its traces and look at one."""


_fields = click.option(
    "--fields", metavar="NAMES", shell_complete=complete_fields,
    help="What to show, with commas: trace_id,latency,tags.env,request.",
)  # fmt: skip


@cli.command(cls=_SearchCommand)
@click.argument("filter_string", metavar="[FILTER]", required=False)
@search_options
@order_option
@click.option("--saved", "saved_name", metavar="NAME", help="A saved search, which FILTER narrows: `tracehound saved`.")
@click.option("--limit", type=_Limit(), help="At most so many.  [default: 20]")
@_fields
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "jsonl", "csv", "parquet"]),
    help="[default: table in a terminal, else as FILE is called, else jsonl]",
)  # fmt: skip
@output_option
@click.option(
    "--watch", metavar="[SECONDS]", type=click.FloatRange(min=0.1), help="Draw it anew every 2 seconds, or so many."
)
@click.option("--explain", "is_explained", is_flag=True, help="Show how the answer is found, or why it is empty.")
def search(
    scope: Scope,
    filter_string: str | None,
    order_by: tuple[str, ...],
    saved_name: str | None,
    limit: int | None,
    fields: str | None,
    form: str | None,
    output: str | None,
    watch: float | None,
    *,
    is_explained: bool,
) -> None:
    """Show the traces that FILTER is true of, newest first.

    For example: tracehound search "attributes.status = 'ERROR' AND tags.env = 'prod'" --since 1h

    In a terminal this is a table; piped it is JSON lines, one object a trace, with times in milliseconds.
    """
    from tracehound.cli.saved import with_saved
    from tracehound.cli.searching import Request, run_explain, run_search, run_watch

    if saved_name is not None:
        scope, filter_string, order_by = with_saved(saved_name, scope, filter_string, order_by)
    request = Request(scope, filter_string, order_by, fields, limit)
    if is_explained:
        run_explain(request)
    elif watch is not None:
        run_watch(request, form, watch)
    else:
        run_search(request, form, output)


@cli.command()
@click.argument("filter_string", metavar="[FILTER]", required=False)
@scope_options
@click.option("--follow", "-f", "is_followed", is_flag=True, help="Go on with what finishes, until Ctrl-C.")
@click.option("-n", "count", default=10, show_default=True, type=click.IntRange(min=0), help="How many to begin with.")
@_fields
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), help="[default: jsonl unless in a terminal]")
def tail(
    scope: Scope, filter_string: str | None, count: int, fields: str | None, form: str | None, *, is_followed: bool
) -> None:
    """Show the traces that finished last, oldest first, a line each; with -f those that finish from now on.

    A trace is shown once, when it has finished, however late it arrives; what runs is shown when it ends.
    """
    from tracehound.cli.tailing import run_tail

    run_tail(scope, filter_string, count, fields, form, is_followed=is_followed)


@cli.command()
@click.argument("trace_id")
@click.option("--format", "form", type=click.Choice(["tree", "json"]), help="[default: tree in a terminal, else json]")
@click.option("--full", "is_full", is_flag=True, help="Show whole values, attributes and events.")
@click.option("--html", metavar="FILE", help="Write a page instead, which shows it without a server.")
@store_option
def show(trace_id: str, store: str | None, form: str | None, html: str | None, *, is_full: bool) -> None:
    """Show one trace: its spans as a tree, with what went in and out.

    TRACE_ID is an id, the beginning of one, or `last` for the newest trace.
    """
    from tracehound.cli.showing import run_show

    run_show(trace_id, store, form, html, is_full=is_full)


@cli.command()
@click.argument("left_id")
@click.argument("right_id")
@click.option("--format", "form", type=click.Choice(["tree", "json"]), help="[default: tree in a terminal, else json]")
@click.option("--full", "is_full", is_flag=True, help="Of large traces, too, show the steps that do not differ.")
@store_option
def diff(left_id: str, right_id: str, store: str | None, form: str | None, *, is_full: bool) -> None:
    """Show two traces as one tree: steps of only one of them, other inputs, outputs and durations.

    LEFT_ID and RIGHT_ID are ids, the beginnings of ids, or `last`. Numbers say in which order differences came about.
    """
    from tracehound.cli.differing import run_diff

    run_diff(left_id, right_id, store, form, is_full=is_full)


@cli.command()
@click.argument("filter_string", metavar="[FILTER]", required=False)
@search_options
@click.option(
    "--by",
    "group_by",
    multiple=True,
    metavar="FIELD",
    shell_complete=complete_order,
    help="Group by a field, a tag or metadata; may be given again.",
)
@click.option("--every", "interval", metavar="LENGTH", help="Cut time into periods: 15m, 1h, 1d, 1w, 1mo.")
@click.option(
    "--metrics", metavar="NAMES", help="With commas: count,errors,error_rate,latency_mean,p95,total_tokens,cost,users,…"
)
@click.option("--time-zone", default="UTC", show_default=True, metavar="NAME", help="Whose clock periods follow.")
@row_format_option
@output_option
def stats(
    scope: Scope,
    filter_string: str | None,
    group_by: tuple[str, ...],
    interval: str | None,
    metrics: str | None,
    time_zone: str,
    form: str | None,
    output: str | None,
) -> None:
    """Show counts, errors and latencies of the traces that FILTER is true of.

    For example: tracehound stats --by name --since 7d, or tracehound stats --every 1d --metrics count,p95,cost
    """
    from tracehound.cli.stats import run_stats

    run_stats(scope, filter_string, group_by, interval, metrics, time_zone, form, output)


@cli.command()
@click.argument("query", metavar="SELECT|-")
@store_option
@row_format_option
@output_option
@timeout_option
def sql(query: str, store: str | None, form: str | None, output: str | None, timeout: float | None) -> None:
    """Show what a SELECT selects from the views traces, spans, assessments, tags and metadata. It can change nothing.

    For example: tracehound sql "SELECT name, count(*) FROM spans GROUP BY name"
    """
    from tracehound.cli.sql import run_sql

    run_sql(query, store, form, output, timeout)


@cli.command("export")
@click.argument("filter_string", metavar="[FILTER]", required=False)
@search_options
@click.option(
    "--format", "form", type=click.Choice(["otlp", "jsonl", "parquet", "warehouse"]),
    help="Lines of OTLP's JSON, or of MLflow's; Parquet; or the rows of a table in Databricks (warehouse)."
    "  [default: otlp, or as FILE is called]",
)  # fmt: skip
@click.option("--output", "-o", metavar="FILE", help="Write a file; lines are packed if it ends in .gz or .zst.")
@click.option("--html", metavar="FILE", help="Write a page instead, which shows the traces without a server.")
def export_traces(
    scope: Scope, filter_string: str | None, form: str | None, output: str | None, html: str | None
) -> None:
    """Write the traces that FILTER is true of, whole, oldest first. What still runs is left out.

    What is written can be imported, by this program or, as OTLP, by any collector.
    """
    if html is not None and (output is not None or form is not None):
        raise ArgumentError("--html is a format and a file of its own: leave --format and --output out")
    if html is not None:
        from tracehound.cli.pages import run_export_page

        run_export_page(scope, filter_string, html)
    else:
        from tracehound.cli.exporting import run_export

        run_export(scope, filter_string, form, output)


@cli.command("import")
@click.argument("source", metavar="FILE|-")
@store_option
@click.option("--experiment", metavar="NAME", help="Put all into this experiment, whatever the file says.")
def import_traces(source: str, store: str | None, experiment: str | None) -> None:
    """Bring a file of traces into the store: of our export, of MLflow, or of any OpenTelemetry exporter of files.

    The format is seen from the file: OTLP JSON lines or JSON lines, also packed by gzip or zstd, Parquet, or a page of
    ours. Importing again changes nothing. Damaged lines are told, and all others imported. Ctrl-C keeps what is
    imported.
    """
    if source.lower().endswith((".html", ".htm")):
        from tracehound.cli.pages import run_import_page

        sys.exit(run_import_page(source, store, experiment))
    from tracehound.cli.exporting import run_import

    sys.exit(run_import(source, store, experiment))


cli.add_command(compare)
cli.add_command(tags)
cli.add_command(saved)
cli.add_command(experiments)
cli.add_command(warehouse)
cli.add_command(server)
cli.add_command(ui)
for _command in keeping.COMMANDS:
    cli.add_command(_command)
cli.add_command(token)
cli.add_command(audit)


@cli.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", metavar="FILE|-m MODULE [ARGUMENTS]", nargs=-1, required=True, type=click.UNPROCESSED)
def run_program(arguments: tuple[str, ...]) -> None:
    """Run a Python program that was written for MLflow, unchanged: its `import mlflow` gives Tracehound.

    For example: tracehound run app.py --port 8000, or tracehound run -m uvicorn app:app

    This holds for the Python programs that it starts, too.
    """
    from tracehound.cli.running import run_program

    run_program(arguments)


@cli.command()
@click.option(
    "--store", metavar="URI", default="tracehound-demo.db", show_default=True, help="Where to keep the traces."
)
@click.option("--questions", default=120, show_default=True, type=click.IntRange(min=1), help="How many to ask.")
def demo(store: str, questions: int) -> None:
    """Run a small question-answering application and show what its traces tell."""
    from tracehound.cli.demo import run_demo

    run_demo(store, questions)


@cli.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes commands, options, fields and experiments in a shell.

    For example, in ~/.bashrc: eval "$(tracehound completion bash)"
    """
    click.echo(completion_script(cli, shell))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old code page has no tree and no ✗
    try:
        sys.exit(_run(None if arguments is None else list(arguments)))
    except ClosedPipeError:
        # What is left in the buffers has no reader; the interpreter would complain of that when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _run(arguments: list[str] | None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = cli.main(arguments, prog_name="tracehound", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except TracehoundError as error:
        click.echo(f"error: {_told(error)}", err=True)
        return 2 if isinstance(error, (FilterError, ArgumentError)) else 1
    return code if isinstance(code, int) else 0


def _told(error: TracehoundError) -> str:
    """Return the message; that of a filter with the place of the mistake, in the room of the terminal."""
    if isinstance(error, FilterError) and sys.stderr.isatty():
        return error.shown(os.get_terminal_size(sys.stderr.fileno()).columns)
    return str(error)
