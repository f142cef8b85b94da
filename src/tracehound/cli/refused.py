"""`tracehound refused`: what a server did not take of what programs of this user sent."""

from __future__ import annotations

import click

from tracehound import runtime
from tracehound.cli.options import store_option, use
from tracehound.cli.render import print_line
from tracehound.cli.text import counted
from tracehound.client.refused import describe, discard_refused, list_refused, retry_refused
from tracehound.errors import ArgumentError
from tracehound.spool.refused import Refused
from tracehound.store.targets import parse_target


@click.command()
@click.option("--retry", "is_retry", is_flag=True, help="Send all of it once more, with the token of now.")
@click.option("--discard", "is_discard", is_flag=True, help="Throw all of it away.")
@store_option
def refused(store: str | None, *, is_retry: bool, is_discard: bool) -> None:
    """Show what the server has refused of what programs of this user sent, send it once more or throw it away.

    It took another token: a program that shows another one sends it by itself.
    """
    if is_retry and is_discard:
        raise ArgumentError("give either --retry or --discard")
    use(store)
    target = parse_target(runtime.current().settings.tracking_uri)
    if is_retry:
        count = retry_refused(target)
        runtime.current().drain(must_succeed=True)
        print_line(f"{counted(count, 'file')} sent once more, and taken")
    elif is_discard:
        print_line(f"{counted(discard_refused(target), 'file')} thrown away")
    else:
        _show(list(list_refused(target)))


def _show(found: list[Refused]) -> None:
    for each in found:
        print_line(f"{each.name}:")
        for change in each.changes:
            print_line(f"  {describe(change)}")
    if not found:
        print_line("nothing was refused")
