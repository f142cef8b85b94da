"""Integrations, switched on and off.

What is kept here is of the whole process, as what an instrumentation replaces in a library is. Each integration has a
provider of its own with a gate: what an instrumentation leaves behind when it is taken out records nothing any more.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata, util
from typing import Any, Final, Protocol

from tracehound.autologging.table import Integration
from tracehound.capture.provider import TracerProvider
from tracehound.client.active_run import active_run
from tracehound.errors import MissingExtraError

_logger: Final = logging.getLogger("tracehound.autolog")


class Instrumentor(Protocol):
    """What every instrumentation has."""

    def instrument(self, **options: Any) -> None:
        """Patch the library."""

    def uninstrument(self) -> None:
        """Take the patches out."""


class Gate:
    """Whether calls of a library are recorded now."""

    def __init__(self) -> None:
        self.is_open = True
        self.is_exclusive = False

    def __call__(self) -> bool:
        """Say so: while it is open and, where it is exclusive, only outside of runs that the program has begun."""
        return self.is_open and not (self.is_exclusive and active_run() is not None)


@dataclass(frozen=True)
class Connection:
    """An instrumentation that is in, and what it was told."""

    instrumentor: Instrumentor
    gate: Gate
    options: Mapping[str, object]


@dataclass(frozen=True)
class Manner:
    """How to switch on: what MLflow's arguments of these names say."""

    is_exclusive: bool = False
    needs_supported_version: bool = False
    is_silent: bool = False


_connections: Final[dict[str, Connection]] = {}
_wanted: Final[dict[str, Manner]] = {}
# One an integration: a thread that switches one on may import a library for which another thread switches on its own.
_locks: Final[dict[str, threading.RLock]] = {}


def turned_on() -> list[str]:
    """Return the names of the integrations that record calls."""
    return sorted(name for name, connection in _connections.copy().items() if connection.gate.is_open)


def is_installed(integration: Integration) -> bool:
    """Whether the library of an integration is there, by the name of its distribution: others have modules `agents`."""
    try:
        metadata.distribution(integration.package)
    except metadata.PackageNotFoundError:
        return False
    return True


def turn_on(integration: Integration, options: Mapping[str, object], manner: Manner) -> bool:
    """Record the calls of a library from now on; return whether they are.

    Raise `MissingExtraError` where the library or its instrumentation is not installed. An instrumentation that fails
    is logged: a program is not to stop for it.
    """
    with _lock_of(integration):
        _wanted.pop(integration.name, None)
        known = _connections.get(integration.name)
        if known is not None and known.options != options:
            turn_off(integration)
            known = _connections.get(integration.name)  # still there, if it cannot be taken out
        if known is not None:
            known.gate.is_open, known.gate.is_exclusive = True, manner.is_exclusive
            return True
        connection = _connect(integration, options, manner)
        if connection is not None:
            _connections[integration.name] = connection
        return connection is not None


def turn_on_when_imported(integration: Integration, manner: Manner) -> None:
    """Record the calls of a library from when the program imports it: importing all that is installed takes seconds.

    What is there already is switched on at once.
    """

    def act(_: object = None) -> None:
        wanted = _wanted.pop(integration.name, None)
        if wanted is not None:
            with contextlib.suppress(MissingExtraError):  # it was there when it was asked for
                turn_on(integration, {}, wanted)

    _wanted[integration.name] = manner
    if integration.library in sys.modules or integration.name in _connections or not _is_importable("wrapt"):
        act()
    else:  # it comes with every instrumentation; what a library itself has can do without
        importlib.import_module("wrapt").register_post_import_hook(act, integration.library)


def turn_off(integration: Integration) -> None:
    """Record the calls of a library no more; where they are not recorded, do nothing."""
    with _lock_of(integration):
        _wanted.pop(integration.name, None)
        connection = _connections.get(integration.name)
        if connection is None:
            return
        connection.gate.is_open = False
        try:
            connection.instrumentor.uninstrument()
        except Exception as fault:  # the gate is closed: what is left of it records nothing
            _logger.warning("the instrumentation of %s could not be taken out", integration.title, exc_info=fault)
        else:
            del _connections[integration.name]


def is_ready(integration: Integration) -> bool:
    """Whether the instrumentation of a library is installed."""
    if integration.distribution is None:
        return True
    try:
        return util.find_spec(integration.module) is not None
    except ModuleNotFoundError:
        return False


def _connect(integration: Integration, options: Mapping[str, object], manner: Manner) -> Connection | None:
    call = f"tracehound.{integration.name}.autolog()"
    if not is_installed(integration) and not _is_importable(integration.library):
        raise MissingExtraError(
            f"{call} traces the library {integration.library}, which is not installed:"
            f" pip install {integration.package}"
        )
    if not is_ready(integration):
        raise MissingExtraError(
            f"{call} needs {integration.distribution}, which is not installed:"
            f" pip install 'tracehound[{integration.extra}]'"
        )
    gate = Gate()
    gate.is_exclusive = manner.is_exclusive
    say = _logger.debug if manner.is_silent else _logger.warning
    try:
        instrumentor = _load(integration)
        if getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
            say("%s is instrumented already, by the program itself: its spans go where that says", integration.title)
            return None
        _instrument(instrumentor, {"tracer_provider": TracerProvider(gate), **options}, manner, integration.title)
    except UnsupportedVersionError as error:
        say("%s", error)
        return None
    except Exception as fault:  # noqa: BLE001 - not ours; the program goes on untraced
        gate.is_open = False
        say("the instrumentation of %s failed; its calls are not traced", integration.title, exc_info=fault)
        return None
    return Connection(instrumentor, gate, options)


class UnsupportedVersionError(Exception):
    """The library is of a version that its instrumentation was not made for."""


def _instrument(instrumentor: Instrumentor, options: Mapping[str, Any], manner: Manner, title: str) -> None:
    """Switch the instrumentation on; of another version than it was made for, only if the program lets it."""
    conflict = find_conflict(instrumentor)
    if conflict is None:
        instrumentor.instrument(**options)
        return
    if manner.needs_supported_version:
        raise UnsupportedVersionError(f"{title} is not traced, for its instrumentation was not made for it: {conflict}")
    if not manner.is_silent:
        _logger.warning("the instrumentation of %s was not made for this version of it: %s", title, conflict)
    instrumentor.instrument(skip_dep_check=True, **options)


def find_conflict(instrumentor: Instrumentor) -> str | None:
    """Return what an instrumentation has against the version of its library."""
    check = getattr(instrumentor, "_check_dependency_conflicts", None)  # what its own `instrument` asks
    found = None if check is None else check()
    return None if found is None else str(found)


def _lock_of(integration: Integration) -> threading.RLock:
    return _locks.setdefault(integration.name, threading.RLock())


def _load(integration: Integration) -> Instrumentor:
    """Return the instrumentation of a library, not yet in."""
    instrumentor: Instrumentor = _class_of(integration.instrumentor)()
    return instrumentor if integration.around is None else _class_of(integration.around)(instrumentor)


def _class_of(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _is_importable(library: str) -> bool:
    try:
        return util.find_spec(library) is not None
    except (ModuleNotFoundError, ValueError):
        return False
