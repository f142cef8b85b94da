"""`tracehound doctor`, `backup` and `restore`: what is said and shown of a file and its copy."""

from __future__ import annotations

import dataclasses
import json
import signal
import sys
from pathlib import Path
from types import FrameType

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from tracehound.cli.render import print_line
from tracehound.cli.text import counted, size_of
from tracehound.client.backup import back_up, check_backup
from tracehound.client.doctor import Report, examine
from tracehound.client.restoring import restore
from tracehound.settings import Settings
from tracehound.store.targets import Target

_MAX_SEGMENTS = 10


def run_doctor(target: Target, *, token: str | None, is_full: bool, as_json: bool) -> int:
    """Examine a store, print what was found and return the exit code: 1 where something is wrong."""
    with _progress() as progress:
        task = progress.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total or None)

        report = examine(target, is_full=is_full, token=token, tell=tell)
    if as_json:
        print_line(json.dumps(dataclasses.asdict(report), default=str, indent=2))
    else:
        _print_report(report)
    return 1 if report.problems else 0


def run_backup(destination: Path) -> int:
    """Copy the store in force, with a bar while that takes; return the exit code, 1 where the copy is damaged."""
    # Told to end, as by Ctrl-C, it removes what it has begun.
    signal.signal(signal.SIGTERM, _end)
    with _progress() as progress:
        task = progress.add_task("copying", total=None)
        length = back_up(destination, lambda done, total: progress.update(task, completed=done, total=total))
        progress.update(task, description="checking", total=None)
        damage = check_backup(destination)
    if not damage:
        print_line(f"{destination} holds everything that was finished ({size_of(length)})")
        return 0
    print_line(f"{destination} holds what the store does, which is damaged ({size_of(length)})")
    for finding in damage:
        click.echo(finding, err=True)
    click.echo(
        f"`tracehound restore` does not take it. Keep older backups; `tracehound copy {destination} NEW` saves what can"
        " be read",
        err=True,
    )
    return 1


def run_restore(backup: Path, target: Target, settings: Settings, *, is_forced: bool) -> None:
    """Put a backup in the place of a store, with a bar while that takes."""
    signal.signal(signal.SIGTERM, _end)
    with _progress() as progress:
        task = progress.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total or None)

        found = restore(backup.absolute(), target, settings, is_forced=is_forced, tell=tell)
    print_line(
        f"{target.path} holds what {backup} held: {counted(found.traces, 'trace')} ({size_of(found.length_bytes)})"
    )
    if found.waiting_bytes:
        print_line(f"{size_of(found.waiting_bytes)} that programs finished since wait in its spool, and come in next")


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _progress() -> Progress:
    """Return a bar on stderr, which is shown in a terminal only and gone at the end."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _print_report(report: Report) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in [*_version_lines(report), *_file_lines(report), *_spool_lines(report)]:
        table.add_row(label, Text(value))
    table.add_row("checked", Text(", ".join(report.checked) or "nothing: there is no store to look into"))
    if not report.problems:
        table.add_row("", Text("all is well", "green"))
    for problem in report.problems:
        table.add_row("problem", Text(problem, "bold red"))
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=120)).print(table)


def _version_lines(report: Report) -> list[tuple[str, str]]:
    versions = report.versions
    return [
        ("tracehound", f"{versions.tracehound} on Python {versions.python}, {versions.system}"),
        ("SQLite", f"{versions.sqlite} (needed: {versions.sqlite_oldest})"),
        ("zstandard", versions.zstandard or "missing"),
        ("RE2", versions.re2 or "not installed: RLIKE needs the extra `regex`"),
        ("OpenTelemetry", versions.opentelemetry_api or "missing"),
    ]


def _file_lines(report: Report) -> list[tuple[str, str]]:
    facts = report.file
    if report.server is not None:
        return [("server", report.server)]
    if not facts.exists:
        return [("file", "traces in memory" if report.path is None else f"{report.path} does not exist yet")]
    schema = "unknown" if facts.schema is None else str(facts.schema)
    if facts.schema is not None and facts.schema < facts.newest_schema:
        schema += f", becomes {facts.newest_schema} when it is next opened"
    free = "" if facts.free_bytes is None else f", {size_of(facts.free_bytes)} of it free"
    room = "" if facts.disk_free_bytes is None else f", where {size_of(facts.disk_free_bytes)} are free"
    return [
        ("file", f"{report.path} on {report.file_system}{room}"),
        ("schema", schema),
        ("size", f"{size_of(facts.bytes)}{free}; its log {size_of(facts.log_bytes)}"),
        *(
            (f"{count.table}s", f"{'' if count.is_exact else 'about '}{count.number:,}") for count in facts.counts
        ),
        ("running in", counted(len(facts.running_owners), "program")),
    ]  # fmt: skip


def _spool_lines(report: Report) -> list[tuple[str, str]]:
    spool = report.spool
    if spool is None or not spool.exists:
        return []
    behind = f"{size_of(spool.behind_bytes)} not in the store yet"
    lines = [("spool", f"{spool.directory}: {counted(len(spool.segments), 'segment')}, {behind}")]
    for segment in spool.segments[:_MAX_SEGMENTS]:
        owner = "its process lives" if segment.is_alive else "its process has ended"
        lines.append(
            ("", f"{segment.name}: {size_of(segment.behind_bytes)} of {size_of(segment.bytes)} behind, {owner}")
        )
    if len(spool.segments) > _MAX_SEGMENTS:
        lines.append(("", f"and {len(spool.segments) - _MAX_SEGMENTS} more"))
    return lines
