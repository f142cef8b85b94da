"""The command `tracehound compare`."""

from __future__ import annotations

import click

from tracehound.cli.completion import complete_order
from tracehound.cli.options import Scope, output_option, row_format_option, search_options


@click.command()
@click.argument("key", metavar="KEY", shell_complete=complete_order)
@click.argument("baseline")
@click.argument("candidate")
@click.argument("filter_string", metavar="[FILTER]", required=False)
@search_options
@click.option(
    "--level",
    default=0.95,
    show_default=True,
    type=click.FloatRange(0.5, 1, max_open=True),
    help="How surely the intervals of all differences hold together.",
)
@row_format_option
@output_option
def compare(
    scope: Scope,
    key: str,
    baseline: str,
    candidate: str,
    filter_string: str | None,
    level: float,
    form: str | None,
    output: str | None,
) -> None:
    """Compare the traces in which KEY is BASELINE with those in which it is CANDIDATE: errors, latency, tokens, cost.

    For example: tracehound compare tags.app_version 1.4 1.5 "attributes.name = 'answer'" --since 7d
    """
    from tracehound.cli.comparing import run_compare

    run_compare(scope, key, baseline, candidate, filter_string, level, form, output)
