"""Keyword arguments and environment variables become one frozen `Settings`; nothing else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracehound.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DEFAULT_STORE = "tracehound.db"
DEFAULT_EXPERIMENT = "Default"

# Each is followed by MLflow's name, which counts where ours is not set.
TRACKING_URI = "TRACEHOUND_TRACKING_URI"
TRACKING_TOKEN = "TRACEHOUND_TRACKING_TOKEN"  # noqa: S105 - the name of a variable
EXPERIMENT_NAME = "TRACEHOUND_EXPERIMENT_NAME"
EXPERIMENT_ID = "TRACEHOUND_EXPERIMENT_ID"
ACTIVE_MODEL_ID = "TRACEHOUND_ACTIVE_MODEL_ID"
SAMPLING_RATIO = "TRACEHOUND_SAMPLING_RATIO"
_MLFLOW_NAMES = {
    TRACKING_URI: "MLFLOW_TRACKING_URI",
    TRACKING_TOKEN: "MLFLOW_TRACKING_TOKEN",
    EXPERIMENT_NAME: "MLFLOW_EXPERIMENT_NAME",
    EXPERIMENT_ID: "MLFLOW_EXPERIMENT_ID",
    ACTIVE_MODEL_ID: "MLFLOW_ACTIVE_MODEL_ID",
    SAMPLING_RATIO: "MLFLOW_TRACE_SAMPLING_RATIO",
}
TAIL_SAMPLING_RATIO = "TRACEHOUND_TAIL_SAMPLING_RATIO"
SLOWER_THAN_MS = "TRACEHOUND_SLOWER_THAN_MS"
REDACT = "TRACEHOUND_REDACT"
REDACTION_KEY = "TRACEHOUND_REDACTION_KEY"
PRICES = "TRACEHOUND_PRICES"
ALLOW_NETWORK_FILESYSTEM = "TRACEHOUND_ALLOW_NETWORK_FILESYSTEM"
RAISE_FAULTS = "TRACEHOUND_RAISE_FAULTS"
CONFIGURATION = "TRACEHOUND_CONFIG"
STATE = "TRACEHOUND_STATE"
WAREHOUSE_PREFIX = "TRACEHOUND_WAREHOUSE_"
DATABRICKS_SCHEMA = "TRACEHOUND_DATABRICKS_SCHEMA"
CLICKHOUSE_PASSWORD = "TRACEHOUND_CLICKHOUSE_PASSWORD"  # noqa: S105 - the name of a variable

# The kinds of secrets that can be taken out of what is kept (`screening.detectors`).
SECRETS = ("api_key", "bearer_token", "credit_card", "email")


@dataclass(frozen=True)
class Settings:
    """What a process was told about itself.

    `tracking_uri` is a path, `sqlite:///path`, `memory://` or the address of a server, and `token` what is shown to
    servers to be let in; `experiment` is the name of the
    active experiment, unless `experiment_id` is given, and `model_id` the model that traces are of where nobody says
    another; `max_value_bytes` bounds one input, output or attribute, `max_trace_bytes` what one process hands over of
    a trace at a time, and `max_spool_bytes` what may wait on disk for the store. `sampling_ratio` is the share of
    traces that is kept, decided when they begin; `tail_sampling_ratio` that of those which have gone well, decided
    when they end, of which all are kept that took `slower_than_ms` or longer. A trace that has run for
    `snapshot_after_s` can be seen by other processes; 0 keeps that from happening. `redact` are the kinds of `SECRETS`
    that are taken out of everything, `redaction_key` what their pseudonyms are made with, in place of the key of the
    store; `masks` are functions that every value goes through, and `rework_span` is one that every span goes through.
    `allow_network_filesystem` lets the file lie where other machines could mount it too, for whoever sees to it that
    none does. `prices` is a file with what models take, which goes before the bundled table (`wire.prices`).
    `raise_faults` lets faults of capture itself reach the traced program, for our own tests.
    """

    tracking_uri: str = DEFAULT_STORE
    token: str | None = field(default=None, repr=False)
    experiment: str = DEFAULT_EXPERIMENT
    experiment_id: str | None = None
    model_id: str | None = None
    max_value_bytes: int = 1_000_000
    max_trace_bytes: int = 64_000_000
    max_spool_bytes: int = 1_000_000_000
    max_segment_bytes: int = 64_000_000
    drain_interval_s: float = 0.2
    sampling_ratio: float = 1.0
    tail_sampling_ratio: float = 1.0
    slower_than_ms: float | None = None
    snapshot_after_s: float = 1.0
    redact: tuple[str, ...] = ()
    redaction_key: str | None = None
    masks: tuple[Callable[[Any], Any], ...] = ()
    rework_span: Callable[[Any], Any] | None = None
    allow_network_filesystem: bool = False
    prices: str | None = None
    raise_faults: bool = False

    @property
    def changes_what_is_kept(self) -> bool:
        """Whether anything becomes of what is captured before it is kept."""
        return bool(self.masks or self.redact) or self.rework_span is not None or self.tail_sampling_ratio < 1.0


def child_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a program to be started, in which `read_settings` finds the same place for traces."""
    token = {} if settings.token is None else {TRACKING_TOKEN: settings.token}
    return {**os.environ, TRACKING_URI: settings.tracking_uri, EXPERIMENT_NAME: settings.experiment, **token}


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that the environment asks for; an empty variable counts as unset.

    Where one of ours is not set, MLflow's name of the same counts.

    >>> read_settings({"TRACEHOUND_EXPERIMENT_NAME": "shop"}).experiment
    'shop'
    """
    given = os.environ if environment is None else environment

    def find(name: str) -> str | None:
        return given.get(name) or given.get(_MLFLOW_NAMES[name]) or None

    def find_ours(name: str) -> str | None:
        return given.get(name) or None

    experiment = find(EXPERIMENT_NAME)
    return Settings(
        tracking_uri=find(TRACKING_URI) or DEFAULT_STORE,
        token=check_token(find(TRACKING_TOKEN), TRACKING_TOKEN),
        experiment=experiment or DEFAULT_EXPERIMENT,
        experiment_id=find(EXPERIMENT_ID) if experiment is None else None,
        model_id=find(ACTIVE_MODEL_ID),
        sampling_ratio=check_ratio(find(SAMPLING_RATIO) or 1.0, SAMPLING_RATIO),
        tail_sampling_ratio=check_ratio(find_ours(TAIL_SAMPLING_RATIO) or 1.0, TAIL_SAMPLING_RATIO),
        slower_than_ms=check_milliseconds(find_ours(SLOWER_THAN_MS), SLOWER_THAN_MS),
        redact=check_secrets(find_ours(REDACT) or (), REDACT),
        redaction_key=find_ours(REDACTION_KEY),
        allow_network_filesystem=given.get(ALLOW_NETWORK_FILESYSTEM) == "1",
        prices=_absolute(given.get(PRICES)),
        raise_faults=given.get(RAISE_FAULTS) == "1",
    )


def _absolute(path: str | None) -> str | None:
    """Return a path that means the same when the program is in another folder."""
    return str(Path(path).absolute()) if path else None


def named_warehouses() -> dict[str, str]:
    """Return the places that the environment names as warehouses (`TRACEHOUND_WAREHOUSE_<NAME>`), by name."""
    given = os.environ.items()
    return {key[len(WAREHOUSE_PREFIX) :]: uri for key, uri in given if key.startswith(WAREHOUSE_PREFIX) and uri}


def configuration_path() -> Path:
    """Return the file of the user's configuration, which need not exist; `TRACEHOUND_CONFIG` says another one."""
    named = os.environ.get(CONFIGURATION)
    if named:
        return Path(named).absolute()
    folder = os.environ.get("APPDATA") if os.name == "nt" else os.environ.get("XDG_CONFIG_HOME")
    return (Path(folder) if folder else Path.home() / ".config") / "tracehound" / "config.json"


def state_directory() -> Path:
    """Return the folder where what waits for servers is kept; `TRACEHOUND_STATE` says another one."""
    named = os.environ.get(STATE)
    if named:
        return Path(named).absolute()
    folder = os.environ.get("LOCALAPPDATA") if os.name == "nt" else os.environ.get("XDG_STATE_HOME")
    try:
        return (Path(folder) if folder else Path.home() / ".local" / "state") / "tracehound"
    except RuntimeError as error:  # a user without a home
        raise ArgumentError(f"what waits for a server needs a folder: set {STATE} to the path of one") from error


def notebook_path() -> str | None:
    """Return the path of the notebook that Jupyter has started this process for, if it says so."""
    return os.environ.get("JPY_SESSION_NAME") or None


def is_databricks() -> bool:
    """Whether this process runs on a cluster of Databricks."""
    return "DATABRICKS_RUNTIME_VERSION" in os.environ


def databricks_token() -> str:
    """Return the token that a workspace of Databricks is shown, as all its tools take it; empty without one."""
    return os.environ.get("DATABRICKS_TOKEN", "")


def databricks_tables() -> tuple[str, str]:
    """Return the host of the workspace that Databricks' tools are told of, and the schema of traces; empty if unset."""
    return os.environ.get("DATABRICKS_HOST", ""), os.environ.get(DATABRICKS_SCHEMA, "")


def clickhouse_password() -> str:
    """Return the password for a ClickHouse whose URI holds none."""
    return os.environ.get(CLICKHOUSE_PASSWORD, "")


def environment_with_path(folder: Path) -> dict[str, str]:
    """Return the environment for a Python that looks for modules in a folder first."""
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *([before] if before else [])])}


def check_token(value: str | None, name: str) -> str | None:
    """Return what is shown to a server; raise `ArgumentError`, which does not repeat it, for what no header holds."""
    if value is not None and not (value.isascii() and value.isprintable() and " " not in value):
        raise ArgumentError(f"{name} is a token: letters, digits and the like, without spaces")
    return value


def check_ratio(value: object, name: str) -> float:
    """Return a share of traces as a number; raise `ArgumentError`, with the setting's name, for what is none.

    >>> check_ratio("0.25", "TRACEHOUND_SAMPLING_RATIO")
    0.25
    """
    try:
        ratio = float(value)  # type: ignore[arg-type] # whatever it is
    except (TypeError, ValueError):
        ratio = -1.0
    if not 0.0 <= ratio <= 1.0:
        raise ArgumentError(f"{name} is a number from 0 (no trace) to 1 (all of them), not {value!r}")
    return ratio


def check_milliseconds(value: object, name: str) -> float | None:
    """Return a length of time as a number, None for none; raise `ArgumentError`, with its name, for anything else.

    >>> check_milliseconds("2000", "TRACEHOUND_SLOWER_THAN_MS")
    2000.0
    """
    if value is None:
        return None
    try:
        length_ms = float(value)  # type: ignore[arg-type] # whatever it is
    except (TypeError, ValueError):
        length_ms = -1.0
    if not length_ms >= 0.0:
        raise ArgumentError(f"{name} is a number of milliseconds, 0 or more, not {value!r}")
    return length_ms


def check_secrets(value: str | bool | Iterable[str], name: str) -> tuple[str, ...]:  # noqa: FBT001 - users write it
    """Return the kinds of secrets that are meant: some by name, all of them, or none.

    Raises `ArgumentError`, with the setting's name, for what is no kind.

    >>> check_secrets("email, api_key", "TRACEHOUND_REDACT"), check_secrets("none", "TRACEHOUND_REDACT")
    (('api_key', 'email'), ())
    >>> check_secrets(True, "redact") == check_secrets("all", "redact") == SECRETS
    True
    """
    if value is True or value is False:
        return SECRETS if value else ()
    if not isinstance(value, Iterable):
        raise ArgumentError(f"{name} is all, none or some of {', '.join(SECRETS)}, not {value!r}")
    names = value.replace(",", " ").split() if isinstance(value, str) else list(value)
    if names in (["all"], ["none"]):
        return SECRETS if names == ["all"] else ()
    for each in names:
        if each not in SECRETS:
            raise ArgumentError(f"{name} is all, none or some of {', '.join(SECRETS)}, not {each!r}")
    return tuple(each for each in SECRETS if each in names)
