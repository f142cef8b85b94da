"""What programs call: `tracehound.autolog()`, and `tracehound.openai.autolog()` of each integration.

The keyword arguments are MLflow's. What has no meaning here is refused or said to change nothing; nothing is ignored
without a word.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from tracehound.autologging.switch import Manner, is_installed, is_ready, turn_off, turn_on, turn_on_when_imported
from tracehound.autologging.table import INTEGRATIONS, Integration
from tracehound.errors import ArgumentError

_logger: Final = logging.getLogger("tracehound.autolog")

# Integrations of MLflow that log models and no traces: `exclude_flavors` may name them.
_OF_MODELS: Final = (
    "fastai keras lightgbm lightning paddle pyspark pyspark.ml pytorch semantic_kernel setfit sklearn spark statsmodels"
    " tensorflow xgboost"
)


class Library:
    """A library whose calls can be traced: `tracehound.openai`, `tracehound.langchain`, …

    docs/autolog.md has the table of all of them.

    >>> import tracehound
    >>> tracehound.openai.autolog()
    >>> tracehound.openai
    <the integration of OpenAI: tracehound.openai.autolog()>
    >>> tracehound.openai.autolog(disable=True)
    """

    def __init__(self, integration: Integration) -> None:
        self._integration = integration
        self.__name__ = f"tracehound.{integration.name}"

    def __repr__(self) -> str:
        return f"<the integration of {self._integration.title}: {self.__name__}.autolog()>"

    def autolog(
        self,
        *,
        disable: bool = False,
        exclusive: bool = False,
        disable_for_unsupported_versions: bool = False,
        silent: bool = False,
        log_traces: bool = True,
        **options: object,
    ) -> None:
        """Trace all calls of the library from now on, below the current span or as traces of their own.

        `disable=True`, or `log_traces=False`, ends that. Calling it again changes what it was told, and no call is
        traced twice. With `exclusive` nothing is traced while a run of the program is under way. A version of the
        library that the instrumentation was not made for is warned of, or left untraced with
        `disable_for_unsupported_versions`; `silent` warns of nothing. `options` are those of the integration
        (docs/autolog.md): some are handed to its instrumentation, such as OpenInference's `config`, which hides inputs
        and outputs.

        Raise `MissingExtraError` where the library or its instrumentation is not installed, and `ArgumentError` for an
        option that the integration has not.

        >>> import tracehound
        >>> tracehound.openai.autolog()
        >>> tracehound.openai.autolog(disable=True)
        """
        row = self._integration
        handed, told = _sort_options(row, options)
        included = {name: told[name] for name in row.included}
        if disable or not log_traces:
            for each in (row, *(INTEGRATIONS[name] for name in included)):
                turn_off(each)
            return
        manner = Manner(exclusive, disable_for_unsupported_versions, silent)
        turn_on(row, handed, manner)
        for name, options_of_it in included.items():
            other = INTEGRATIONS[name]
            if is_installed(other) and is_ready(other):
                turn_on(other, options_of_it, manner)


def autolog(
    *,
    log_input_examples: bool = False,  # noqa: ARG001 - MLflow's: of models, as the next three
    log_model_signatures: bool = True,  # noqa: ARG001
    log_models: bool = True,  # noqa: ARG001
    log_datasets: bool = True,  # noqa: ARG001
    log_traces: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    extra_tags: Mapping[str, str] | None = None,
    exclude_flavors: Sequence[str] | None = None,
) -> None:
    """Trace the calls of every library for models and agents that is installed, from when it is imported.

    `exclude_flavors` are names of integrations to be left out; those for requests by HTTP, web applications, task
    queues and databases are turned on by their names only. `disable=True`, or `log_traces=False`, ends it for all of
    them. What is traced is logged (INFO, `tracehound.autolog`), and what lacks its extra (WARNING), unless `silent`.
    The other arguments are as those of `tracehound.openai.autolog`; Tracehound logs no models, so the first four,
    MLflow's, change nothing.

    >>> import tracehound
    >>> tracehound.autolog(exclude_flavors=["anthropic"])
    >>> tracehound.autolog(disable=True)
    """
    if extra_tags:
        raise ArgumentError(
            "extra_tags is for runs that MLflow begins by itself; tags of traces: tracehound.tracing.context(tags=…)"
        )
    left_out = _check_names(exclude_flavors or ())
    if disable or not log_traces:
        for row in INTEGRATIONS.values():
            if not row.is_by_name and row.name not in left_out:
                turn_off(row)
        return
    rows = [row for row in INTEGRATIONS.values() if not row.is_by_name and row.name not in left_out]
    manner = Manner(exclusive, disable_for_unsupported_versions, silent)
    found = [row for row in rows if is_installed(row)]
    ready = [row for row in found if is_ready(row)]
    for row in ready:
        turn_on_when_imported(row, manner)
    if not silent:
        _tell(ready, [row for row in found if row not in ready])


def _tell(ready: Sequence[Integration], lacking: Sequence[Integration]) -> None:
    """Log what is traced, and what could be."""
    traced = ", ".join(row.title for row in ready)
    _logger.info("traced as soon as they are imported: %s", traced or "none, for no library for models is installed")
    if lacking:
        extras = ",".join(row.extra for row in lacking)
        names = ", ".join(row.title for row in lacking)
        _logger.warning(
            "not traced, for want of their instrumentation: %s; pip install 'tracehound[%s]'", names, extras
        )


def _check_names(names: Sequence[str]) -> frozenset[str]:
    """Return the names of integrations that are to be left out, if that is what they are."""
    if isinstance(names, str):
        raise ArgumentError(f"exclude_flavors is a list of names, such as [{names!r}], not a text")
    for name in names:
        if name not in INTEGRATIONS and name not in _OF_MODELS.split():
            raise ArgumentError(
                f"exclude_flavors: there is no integration {name!r}; there are {', '.join(INTEGRATIONS)}"
            )
    return frozenset(names)


def _sort_options(
    row: Integration, options: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    """Return the options that the instrumentation gets, and those of each integration that is included.

    Raise `ArgumentError` for any other.
    """
    handed: dict[str, object] = {}
    told: dict[str, dict[str, object]] = {name: {} for name in row.included}
    for name, value in options.items():
        homes = [(other, names[name]) for other, names in row.included.items() if name in names]
        if name in row.passed:
            handed[name] = value
        elif homes:
            for other, theirs in homes:
                told[other][theirs] = value
        elif value not in row.accepted.get(name, ()):
            raise ArgumentError(_refusal(row, name, value))
    return handed, told


def _refusal(row: Integration, name: str, value: object) -> str:
    allowed = row.accepted.get(name)
    if allowed is not None:
        return f"{name}={value!r} is not possible with tracehound.{row.name}.autolog(): {name} is {allowed[0]!r} here"
    general = ("disable", "exclusive", "disable_for_unsupported_versions", "silent", "log_traces")
    known = (*general, *row.passed, *row.accepted, *(each for names in row.included.values() for each in names))
    return f"tracehound.{row.name}.autolog() has no argument {name!r}; it has {', '.join(known)}"
