"""`tracehound completion SHELL`, and what the shell is told when it asks how an argument goes on."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import CompletionItem, get_completion_class

from tracehound.errors import ArgumentError, TracehoundError
from tracehound.model.ids import experiment_id
from tracehound.query.fields import ATTRIBUTES
from tracehound.query.search import parse_search
from tracehound.query.tokens import quote_name
from tracehound.settings import read_settings
from tracehound.store.api import Store
from tracehound.store.targets import open_store, parse_target

SHELLS: Final = ("bash", "zsh", "fish")
_VARIABLE: Final = "_TRACEHOUND_COMPLETE"
_LOOKED_AT: Final = 100  # the newest traces, whose tags are told


def completion_script(cli: click.Command, shell: str) -> str:
    """Return the script that makes a shell complete `tracehound`."""
    found = get_completion_class(shell)
    if found is None:
        raise ArgumentError(f"there is no completion for {shell}")
    return found(cli, {}, "tracehound", _VARIABLE).source()


def complete_experiment(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of experiments that begin so."""
    store = _open(context)
    names = [] if store is None else [each.name for each in store.experiments()]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_order(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the fields to order by that begin so."""
    names = (*ATTRIBUTES, *_keys(context))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_fields(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return how a list of fields may go on."""
    from tracehound.client.named_columns import complete_fields as complete

    return [CompletionItem(each) for each in complete(incomplete, _keys(context))]


def complete_tag(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the keys of tags that begin so."""
    keys = [each.removeprefix("tags.").strip("`") for each in _keys(context) if each.startswith("tags.")]
    return [CompletionItem(key) for key in keys if key.startswith(incomplete)]


def _keys(context: click.Context) -> list[str]:
    """Return the tags and metadata of the newest traces, as filters write them."""
    store = _open(context)
    if store is None:
        return []
    names = context.params.get("experiment") or (read_settings().experiment,)
    infos = store.search(parse_search([experiment_id(name) for name in names], limit=_LOOKED_AT)).traces
    tags = sorted({f"tags.{quote_name(key)}" for info in infos for key in info.tags})
    return [*tags, *sorted({f"metadata.{quote_name(key)}" for info in infos for key in info.trace_metadata})]


def _open(context: click.Context) -> Store | None:
    """Return the store that the command line names; None where there is none, or it cannot be read.

    It is read as it is: to bring in what waits for it may take longer than somebody waits for a word.
    """
    try:
        target = parse_target(context.params.get("store") or read_settings().tracking_uri)
        return open_store(target) if target.path is not None and target.path.exists() else None
    except TracehoundError:
        return None
