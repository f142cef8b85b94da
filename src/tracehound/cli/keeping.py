"""The commands that look after a store: thin it out, examine it, back it up, restore and copy it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tracehound.cli.care import run_backup, run_doctor, run_restore
from tracehound.cli.options import store_option, use
from tracehound.cli.refused import refused
from tracehound.settings import read_settings
from tracehound.store.targets import parse_target


@click.command()
@click.option("--older-than", metavar="AGE", help="How old: 12h, 30d, 8w.  [default: as `retention` says]")
@store_option
@click.option("--experiment", metavar="NAME", help="Of this experiment alone.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Say how many traces and bytes that is, and delete nothing.")
def gc(older_than: str | None, store: str | None, experiment: str | None, *, is_dry: bool) -> None:
    """Delete the traces that began longer ago than AGE, and give the space back to the file system.

    Programs go on writing meanwhile. Ctrl-C stops it; what has been deleted until then stays deleted.
    """
    from tracehound.cli.gc import run_gc

    use(store, experiment)
    run_gc(older_than, experiment, is_dry=is_dry)


@click.command()
@click.argument("experiment", required=False)
@click.argument("age", metavar="[AGE|forever]", required=False)
@store_option
def retention(experiment: str | None, age: str | None, store: str | None) -> None:
    """Show for how long experiments keep their traces, or set it: tracehound retention shop 30d.

    A server deletes what is older, a little at a time; `tracehound gc` does so at once.
    """
    from tracehound.cli.gc import run_retention

    run_retention(store, experiment, age)


@click.command()
@click.option("--full", is_flag=True, help="Check every page, every index entry and every trace.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@store_option
def doctor(full: bool, as_json: bool, store: str | None) -> None:  # noqa: FBT001 - the options of the command
    """Say what is installed, what the store holds and what is wrong with it. Changes nothing."""
    settings = read_settings()
    target = parse_target(store or settings.tracking_uri)
    sys.exit(run_doctor(target, token=settings.token, is_full=full, as_json=as_json))


@click.command()
@click.argument("destination", type=click.Path(path_type=Path))
@store_option
def backup(destination: Path, store: str | None) -> None:
    """Copy the store into a new file DESTINATION, while others use it.

    The copy is a store itself. `tracehound restore` puts it in the place of another one. It is checked: where it is
    damaged the store is, too; it is kept, and the exit code is 1.
    """
    use(store)
    sys.exit(run_backup(destination))


@click.command()
@click.argument("backup", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("to", metavar="[TO]", required=False)
@click.option("--force", "is_forced", is_flag=True, help="Replace the store that is there.")
def restore(backup: Path, to: str | None, *, is_forced: bool) -> None:
    """Check the backup FILE and make it the store TO, or the default one. Nobody may use that store meanwhile.

    What its programs had finished goes into the store that is replaced, if that can be read; else into the restored.
    """
    settings = read_settings()
    run_restore(backup, parse_target(to or settings.tracking_uri), settings, is_forced=is_forced)


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy(source: str, target: str) -> None:
    """Copy all that the store FROM keeps into the store TO: a path, http://host:port, clickhouse://host/database.

    Traces with all that was said of them, runs, models, experiments and deletions. What TO has already stays. Ctrl-C
    stops it, and the same command goes on from there. Programs may use both; what they write to FROM meanwhile may be
    missing, and comes with the next copy.
    """
    from tracehound.cli.copying import run_copy

    sys.exit(run_copy(source, target))


COMMANDS = (gc, retention, doctor, refused, backup, restore, copy)
