"""`tracehound token`: who may use a server. `tracehound audit`: who has deleted traces, and made tokens."""

from __future__ import annotations

import contextlib
import datetime
import getpass
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from tracehound.cli.options import chosen_settings, store_option
from tracehound.cli.render import print_line
from tracehound.cli.rows import RowColumn, write_rows
from tracehound.client.formats import ROW_FORMATS
from tracehound.errors import ArgumentError
from tracehound.query.times import parse_interval_ms, parse_time_ms
from tracehound.store.targets import check_file, open_store, parse_target

if TYPE_CHECKING:
    from tracehound.store.api import Store

_ROLES: Final = ("ingest", "read", "write", "admin")
_format = click.option(
    "--format", "form", type=click.Choice(["table", *ROW_FORMATS]), help="[default: jsonl unless in a terminal]"
)


@click.group()
def token() -> None:
    """Make, show and revoke the tokens of a store. As soon as there is one, its servers let nobody in without.

    They work where the store is, also while servers run.
    """


@token.command("create")
@click.option(
    "--role",
    required=True,
    type=click.Choice(_ROLES),
    help="ingest: send traces. read: see them. write: both, and annotate. admin: all of it, and delete.",
)
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    metavar="NAME",
    help="For this experiment alone, which need not be there; may be given again.",
)
@click.option("--expires", metavar="WHEN", help="After so long (12h, 90d), or at a time (2027-01-31).")
@click.option("--name", default="", help="What it is for: shown in lists and in the audit log.")
@store_option  # fmt: skip
def create(role: str, experiments: tuple[str, ...], expires: str | None, name: str, store: str | None) -> None:
    """Make a token and print it: this once, for only its hash is kept."""
    from tracehound.server.guard.rights import Role
    from tracehound.server.guard.tokens import create_token

    expires_ms = None if expires is None else _moment_ms(expires)
    if not name.isprintable():
        raise ArgumentError("--name is printed in lists: leave out characters that cannot be")
    with _store(store) as opened:
        text, made = create_token(
            opened, Role(role), _user(), name=name, experiments=experiments or None, expires_ms=expires_ms
        )
    print_line(text)
    limits = "all experiments" if made.experiments is None else f"the experiments {', '.join(made.experiments)}"
    until = "" if expires_ms is None else f", until {_local(expires_ms)}"
    click.echo(f"{made.role.value} for {limits}{until}. It is not shown again.", err=True)


@token.command("list")
@_format
@store_option
def show(form: str | None, store: str | None) -> None:
    """Show what is known of the tokens that were ever made. The tokens themselves nobody knows."""
    from tracehound.server.guard.tokens import read_tokens

    with _store(store) as opened:
        found = read_tokens(opened)
    now_ms = time.time_ns() // 1_000_000
    rows = [
        (each.token_id, each.name, each.role.value, list(each.experiments or ()), each.created_ms, each.expires_ms,
         each.state(now_ms))
        for each in found
    ]  # fmt: skip
    write_rows(_TOKEN_COLUMNS, rows, form, None)


@token.command("revoke")
@click.argument("token_id")
@store_option
def revoke(token_id: str, store: str | None) -> None:
    """Have a token count no more. Servers that run know it within a second. TOKEN_ID is that of `token list`."""
    from tracehound.server.guard.tokens import revoke_token

    with _store(store) as opened:
        known = revoke_token(opened, token_id, _user())
    print_line(f"{known.who} counts no more" if known.revoked_ms is None else f"{known.who} was revoked before")


@click.command()
@_format
@store_option
def audit(form: str | None, store: str | None) -> None:
    """Show who has deleted traces through a server, and who has made and revoked tokens; the oldest first."""
    from tracehound.server.guard.audit import read_entries

    with _store(store) as opened:
        found = read_entries(opened)
    rows = [
        (each.time_ns // 1_000_000, each.who, each.what, len(each.subjects), list(each.subjects), each.details)
        for each in found
    ]
    write_rows(_AUDIT_COLUMNS, rows, form, None)


def _local(time_ms: int) -> str:
    """Return a time of the machine's zone, with its year: tokens live long."""
    return datetime.datetime.fromtimestamp(time_ms // 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


_TOKEN_COLUMNS: Final = (
    RowColumn("id", str),
    RowColumn("name", str),
    RowColumn("role", str),
    RowColumn("experiments", lambda names: ", ".join(names) or "all"),
    RowColumn("created", _local, key="created_ms"),
    RowColumn("expires", lambda time_ms: "never" if time_ms is None else _local(time_ms), key="expires_ms"),
    RowColumn("state", str),
)
_AUDIT_COLUMNS: Final = (
    RowColumn("time", _local, key="time_ms"),
    RowColumn("who", str),
    RowColumn("what", str),
    RowColumn("count", str, is_number=True),
    RowColumn("subjects", " ".join),
    RowColumn("details", str),
)


@contextlib.contextmanager
def _store(uri: str | None) -> Iterator[Store]:
    """Open the store itself: a server is told of no tokens."""
    settings = chosen_settings(uri)
    target = parse_target(settings.tracking_uri)
    if target.path is None:
        where = "memory has" if target.url is None else f"{target.url} is"
        raise ArgumentError(f"tokens are made where a store is kept, and {where} no file: name one with --store")
    check_file(target)
    with contextlib.closing(open_store(target, allow_network=settings.allow_network_filesystem)) as opened:
        yield opened


def _user() -> str:
    """Return who runs this, as the audit log names him."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError, ImportError):  # nobody has given this user a name
        return "somebody (command line)"


def _moment_ms(text: str) -> int:
    """Return when a token expires; raise `ArgumentError` for what is no time to come."""
    now_ms = time.time_ns() // 1_000_000
    length_ms = parse_interval_ms(text)
    time_ms = now_ms + length_ms if length_ms is not None else parse_time_ms(text)
    if time_ms is None or time_ms <= now_ms:
        raise ArgumentError(
            f"--expires takes a length of time such as 12h or 90d, or a time to come such as 2027-01-31, not {text!r}"
        )
    return time_ms
