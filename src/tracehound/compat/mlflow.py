"""`import mlflow` gives Tracehound: programs that were written for MLflow run as they are.

One finder stands before all others in `sys.meta_path` and answers for `mlflow` and everything below it, from the table
in `compat.names`. A name is looked up when it is first asked for, so an import costs nothing. What MLflow has and
Tracehound has not is an error that says so, and never the real package: half of either would lose traces.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from operator import attrgetter
from types import ModuleType
from typing import Any, Final

from tracehound.compat.names import MLFLOW_VERSION, NAMES
from tracehound.errors import ArgumentError, StoreError, TracehoundError
from tracehound.settings import read_settings

_ROOT: Final = "mlflow"


def install_as_mlflow() -> None:
    """Let `import mlflow`, and `from mlflow.… import …`, give Tracehound from now on, in this process.

    It comes before the first import of mlflow, in the module that the program starts with; `tracehound run` does it for
    a program that is not to be changed. Calling it again changes nothing. `mlflow.__version__` is the release of MLflow
    whose names these are.

    Raise `TracehoundError` where the real package has been imported already, `ArgumentError` where MLFLOW_TRACKING_URI
    names Databricks, a folder or another database, and `StoreError` where it names a database that MLflow made.

    >>> import tracehound
    >>> tracehound.install_as_mlflow()
    >>> import mlflow
    >>> mlflow.trace is tracehound.trace
    True
    """
    if is_installed():
        return
    if _ROOT in sys.modules:
        raise TracehoundError("mlflow has been imported already; call tracehound.install_as_mlflow() before that")
    check_place()
    put_finder()


def check_place() -> None:
    """Raise `ArgumentError` or `StoreError` where the environment says to keep traces in what is not ours."""
    from tracehound.store.targets import check_file, parse_target

    advice = "set TRACEHOUND_TRACKING_URI to the path of a file, which goes before MLFLOW_TRACKING_URI"
    try:
        check_file(parse_target(read_settings().tracking_uri))
    except ArgumentError as error:
        raise ArgumentError(f"{error}; {advice}") from error
    except StoreError as error:
        raise type(error)(f"{error}; {advice}") from error


def is_installed() -> bool:
    """Whether `import mlflow` gives Tracehound."""
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


def put_finder() -> None:
    """Answer for `mlflow` from now on, whatever the environment says."""
    if not is_installed():
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder, Loader):
    """Finds the modules of the table and fills them."""

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        if fullname.partition(".")[0] != _ROOT:
            return None
        if fullname not in NAMES:
            raise ModuleNotFoundError(_missing(fullname))
        return ModuleSpec(fullname, self, origin="tracehound", is_package=bool(_below(fullname)))

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == _ROOT:
            vars(module)["__version__"] = MLFLOW_VERSION


class _Module(ModuleType):
    """A module of the table."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f"Tracehound in the place of {name}.")

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [each for each in NAMES[self.__name__] if hasattr(self, each)]
        if f"{self.__name__}.{name}" in NAMES:
            return importlib.import_module(f"{self.__name__}.{name}")
        module, _, ours = NAMES[self.__name__].get(name, "").partition(":")
        if not ours:
            raise AttributeError(_missing(f"{self.__name__}.{name}"))
        home = importlib.import_module(module)
        try:
            value = attrgetter(ours)(home)
        except AttributeError as error:
            raise AttributeError(_missing(f"{self.__name__}.{name}")) from error
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__all__, *_below(self.__name__)})


def _below(module: str) -> list[str]:
    """Return the names of the modules of the table that lie directly in another."""
    return [name for parent, _, name in (each.rpartition(".") for each in NAMES) if parent == module]


def _missing(name: str) -> str:
    return f"Tracehound stands in for MLflow here and has no {name}"
