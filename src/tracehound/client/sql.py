"""SQL over the traces of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from tracehound.client.arguments import check_return_type
from tracehound.errors import ArgumentError
from tracehound.query.limit import SearchLimit, to_limit
from tracehound.runtime import current

if TYPE_CHECKING:
    import pandas as pd


@overload
def sql(
    query: str,
    parameters: Sequence[Any] | Mapping[str, Any] = (),
    *,
    return_type: Literal["list"],
    timeout: float | SearchLimit | None = None,
) -> list[dict[str, Any]]: ...


@overload
def sql(
    query: str,
    parameters: Sequence[Any] | Mapping[str, Any] = (),
    *,
    return_type: Literal["pandas"] | None = None,
    timeout: float | SearchLimit | None = None,
) -> pd.DataFrame: ...


def sql(
    query: str,
    parameters: Sequence[Any] | Mapping[str, Any] = (),
    *,
    return_type: Literal["pandas", "list"] | None = None,
    timeout: float | SearchLimit | None = None,
) -> pd.DataFrame | list[dict[str, Any]]:
    """Return what a SELECT over the views `traces`, `spans`, `assessments`, `tags` and `metadata` selects.

    The columns of the views stand in `docs/sql.md`; the dialect is that of the store, of a file SQLite's. Parameters
    are written `?` or `:name`. Nothing can be written, attached or loaded. The result is a pandas DataFrame where
    pandas is installed, else, or with `return_type="list"`, a list of dicts. `timeout` is that of `search_traces`.

    Raises `ArgumentError` for what is no such SELECT, `SearchTimeoutError` where it takes too long.

    >>> import tracehound
    >>> with tracehound.start_span("greet"):
    ...     pass
    >>> tracehound.sql("SELECT name, state FROM traces WHERE name = ?", ["greet"], return_type="list")
    [{'name': 'greet', 'state': 'OK'}]
    """
    kind = check_return_type(return_type)
    if kind not in ("pandas", "list"):
        raise ArgumentError(f"return_type is 'pandas' or 'list', not {return_type!r}")
    if not isinstance(query, str):
        raise ArgumentError(f"a query is a text, not {query!r}")
    if isinstance(parameters, (str, bytes)) or not isinstance(parameters, (Sequence, Mapping)):
        raise ArgumentError(f"parameters are a list, or a mapping of names, not {parameters!r}")
    found = current().drained_store().sql(query, parameters, to_limit(timeout))
    if kind == "list":
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    import pandas as pd

    return pd.DataFrame.from_records(found.rows, columns=list(found.columns))
