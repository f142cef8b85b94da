"""Is everything well? What is installed, what the file and the spool of a store hold, and what is wrong with them.

Nothing is changed by looking, and nothing has to be whole: a damaged file, a newer one, no spool at all are findings.
"""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Final

from tracehound.errors import TracehoundError
from tracehound.spool.inspection import SpoolFacts, inspect_spool
from tracehound.store.filesystem import file_system_of, is_network
from tracehound.store.sqlite.inspection import FileFacts, check_pages, check_traces, read_facts, sqlite_facts
from tracehound.store.targets import Target, open_store

_SAMPLE: Final = 200
_LITTLE_ROOM_BYTES: Final = 10_000_000


@dataclass(frozen=True)
class Versions:
    """What the program runs on; None for what is not installed."""

    tracehound: str
    python: str
    system: str
    sqlite: str
    sqlite_oldest: str
    zstandard: str | None
    re2: str | None
    opentelemetry_api: str | None


@dataclass(frozen=True)
class Report:
    """All that was found. `problems` is empty where everything is well; `checked` says what was looked at."""

    versions: Versions
    path: Path | None
    file_system: str
    file: FileFacts
    spool: SpoolFacts | None
    checked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    server: str | None = None


def examine(
    target: Target,
    *,
    is_full: bool = False,
    token: str | None = None,
    tell: Callable[[str, int, int], None] = lambda _what, _done, _all: None,
) -> Report:
    """Return what can be said of a store and its spool.

    The pages of the file are checked, and some traces against what was stored of them; with `is_full` every page,
    every entry of the index and every trace. `tell` is called with what is being done, how much of it is done and how
    much there is; 0 where that is not known. A server is shown the token.
    """
    versions = _versions()
    if target.url is not None:
        return _examine_server(target, versions, token)
    if target.path is None:
        return Report(versions, None, "", FileFacts(exists=False), None)
    tell("reading", 0, 0)
    facts = read_facts(target.path)
    spool = None if target.spool_directory is None else inspect_spool(target.spool_directory, facts.positions)
    kind = file_system_of(target.path)
    problems = [*_problems(target.path, kind, versions, facts, spool)]
    checked: list[str] = []
    if facts.exists and facts.bytes and facts.schema is not None:
        tell("checking pages", 0, 0)
        checked.append("every page and every index entry" if is_full else "every page, quickly")
        problems += check_pages(target.path, is_full=is_full)
        if facts.schema == facts.newest_schema and not problems:
            sample = None if is_full else _SAMPLE
            problems += check_traces(target.path, sample, lambda done, of: tell("checking traces", done, of))
            checked.append("every trace" if is_full else f"up to {_SAMPLE} traces against what was stored of them")
    return Report(versions, target.path, kind, facts, spool, checked, list(dict.fromkeys(problems)))


def _examine_server(target: Target, versions: Versions, token: str | None) -> Report:
    """Return whether the server answers, and what waits for it here."""
    folder = target.spool_directory or Path()
    spool = inspect_spool(folder, {})
    problems = list(spool.faults)
    store = open_store(target, token=token)
    try:
        store.version()
        spool = inspect_spool(folder, {each.name: store.position(each.name) for each in spool.segments})
    except TracehoundError as error:
        problems.append(str(error))
    finally:
        store.close()
    if spool.set_aside:
        problems.append(
            f"pieces that the server did not take were set aside in {folder}: {len(spool.set_aside)} of them"
        )
    if spool.refused:
        problems.append(
            f"the server has refused what is in {len(spool.refused)} files of {folder}: `tracehound refused` shows it,"
            " --retry sends it once more and --discard throws it away. A program with a token that may sends it, too"
        )
    checked = ["whether the server answers"]
    return Report(versions, None, "", FileFacts(exists=False), spool, checked, problems, target.url)


def _problems(path: Path, kind: str, versions: Versions, facts: FileFacts, spool: SpoolFacts | None) -> list[str]:
    """Return what is wrong without looking into the pages."""
    problems = list(facts.faults)
    if _numbers(versions.sqlite) < _numbers(versions.sqlite_oldest):
        problems.append(f"SQLite {versions.sqlite_oldest} or newer is needed; this Python has {versions.sqlite}")
    if is_network(kind):
        problems.append(f"{path} lies on a network filesystem ({kind}), where SQLite loses data without a word")
    if facts.disk_free_bytes is not None and facts.disk_free_bytes < _LITTLE_ROOM_BYTES:
        problems.append(
            f"the disk of {path} is full, or nearly so ({facts.disk_free_bytes:,} bytes are left): make room beside the"
            " store. What programs finish and cannot write is dropped"
        )
    if facts.schema is not None and facts.schema > facts.newest_schema:
        problems.append(f"{path} was written by a newer Tracehound (schema {facts.schema}); upgrade this one")
    if spool is not None:
        problems += spool.faults
        if spool.set_aside:
            problems.append(f"damaged pieces were set aside in {spool.directory}: {len(spool.set_aside)} of them")
    return problems


def _versions() -> Versions:
    version, oldest = sqlite_facts()
    # With Python 3.14 it is a part of the standard library.
    return Versions(
        tracehound=_version("tracehound") or "not installed",
        python=platform.python_version(),
        system=platform.platform(),
        sqlite=version,
        sqlite_oldest=oldest,
        zstandard=_version("zstandard"),
        re2=_version("google-re2") if importlib.util.find_spec("re2") else None,
        opentelemetry_api=_version("opentelemetry-api"),
    )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in version.split("."))
