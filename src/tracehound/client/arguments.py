"""The arguments of a search, checked: each mistake is an `ArgumentError` that says what is right."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tracehound.errors import ArgumentError
from tracehound.model.ids import experiment_id
from tracehound.model.values import clean_text, to_text
from tracehound.query.search import Search, parse_search
from tracehound.runtime import Runtime

# What each kind of result needs to be installed, under the name of the extra that brings it.
_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "pandas": ("pandas",),
    "list": (),
    "polars": ("polars", "pyarrow"),
    "arrow": ("pyarrow",),
    "iterator": (),
}
_EXTRAS: Final = {"pandas": "pandas", "polars": "polars,arrow", "arrow": "arrow"}


def check_search(
    runtime: Runtime,
    experiment_ids: object,
    filter_string: object,
    max_results: object,
    order_by: object,
    locations: object = None,
    *,
    default_experiment: str | None = None,
    now_ms: int | None = None,
) -> Search:
    """Return the search that arguments of `search_traces` ask for.

    Where they name no experiment, it is of the one whose id is the default, without that of the active one.
    """
    if isinstance(experiment_ids, str):
        if filter_string is not None:
            raise ArgumentError("experiment_ids is a list of ids; a text in its place is the filter, and one is given")
        if experiment_ids.isdecimal():
            raise ArgumentError(f"experiment_ids is a list of ids: [{experiment_ids!r}]")
        experiment_ids, filter_string = None, experiment_ids
    if experiment_ids is not None and locations is not None:
        raise ArgumentError("experiment_ids and locations say the same: give one of them")
    name, ids = ("experiment_ids", experiment_ids) if locations is None else ("locations", locations)
    if ids is not None and (isinstance(ids, (str, bytes)) or not isinstance(ids, Sequence)):
        hint = f": [{ids!r}]" if isinstance(ids, str) else f", not {ids!r}"
        raise ArgumentError(f"{name} is a list of ids{hint}")
    if filter_string is not None and not isinstance(filter_string, str):
        raise ArgumentError(f"filter_string is a text, not {filter_string!r}")
    check_count("max_results", max_results)
    default = default_experiment or experiment_id(runtime.settings.experiment)
    searched = [default] if ids is None else list(ids)
    return parse_search(searched, filter_string, _check_order(order_by), now_ms=now_ms)


def _check_order(order_by: Any) -> Sequence[str] | None:
    if isinstance(order_by, str):
        raise ArgumentError(f"order_by is a list of texts: [{order_by!r}]")
    if order_by is not None and not (
        isinstance(order_by, Sequence) and all(isinstance(each, str) for each in order_by)
    ):
        raise ArgumentError(f"order_by is a list of texts such as 'latency DESC', not {order_by!r}")
    return order_by


def check_name(what: str, value: object) -> str:
    """Return a name without what no store can keep; raise unless it is a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ArgumentError(f"{what} is a text that is not empty, not {value!r}")
    return clean_text(value)


def check_count(name: str, value: object) -> None:
    """Raise unless the value is None or a number of things."""
    if value is not None and not (type(value) is int and value >= 0):
        raise ArgumentError(f"{name} is a whole number from 0 up, not {value!r}")


def check_text(name: str, value: object) -> None:
    """Raise unless the value is a text or None."""
    if value is not None and not isinstance(value, str):
        raise ArgumentError(f"{name} is a text, not {value!r}")


def check_texts(name: str, values: object) -> dict[str, str]:
    """Return tags, parameters or the like as texts; None counts as none, and a value of None as not set."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ArgumentError(f"{name} is a mapping such as {{'env': 'prod'}}, not {values!r}")
    return {clean_text(str(key)): to_text(value) for key, value in values.items() if value is not None}


def check_flag(name: str, value: object) -> None:
    """Raise unless the value is True or False."""
    if not isinstance(value, bool):
        raise ArgumentError(f"{name} is True or False, not {value!r}")


def check_return_type(return_type: object) -> str:
    """Return the kind of result that is wanted; without a wish a DataFrame where pandas is installed, else a list."""
    if return_type is None:
        return "pandas" if _is_installed("pandas") else "list"
    if not isinstance(return_type, str) or return_type not in _NEEDS:
        *most, last = map(repr, _NEEDS)
        raise ArgumentError(f"return_type is {', '.join(most)} or {last}, not {return_type!r}")
    missing = [name for name in _NEEDS[return_type] if not _is_installed(name)]
    if missing:
        line = f"pip install 'tracehound[{_EXTRAS[return_type]}]'"
        raise ArgumentError(f"return_type={return_type!r} needs {' and '.join(missing)}: {line}")
    return return_type


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # something else was put into its place
        return False
