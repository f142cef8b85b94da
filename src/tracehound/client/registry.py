"""The registry: names, and the versions of models that are registered under them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tracehound.client.arguments import check_name, check_texts
from tracehound.errors import AlreadyExistsError, ArgumentError, NotFoundError
from tracehound.model.edit import Facts
from tracehound.model.logged_model import (
    MODEL,
    MODEL_VERSION,
    REGISTERED_MODEL,
    ModelVersion,
    RegisteredModel,
    registered_of_facts,
    version_of_facts,
)
from tracehound.model.run import TAG
from tracehound.model.values import clean_text
from tracehound.runtime import Runtime, current
from tracehound.store.api import Searched

_SCHEME: Final = "models:/"
_LATEST: Final = "latest"


def register_model(model_uri: str, name: str, tags: Mapping[str, object] | None = None) -> ModelVersion:
    """Register a model as the next version of a name, which is made where it is new, and return the version.

    `model_uri` is `models:/` with a model's id, or any other place, which is kept as it is. Versions count from 1;
    two processes that register under one name in the same moment may be given the same number, of which the later one
    counts. Raise `NotFoundError` for a model that is not there.

    >>> import tracehound
    >>> model = tracehound.create_external_model("agent-v2")
    >>> tracehound.register_model(model.model_uri, "agent").version
    '1'
    """
    runtime = current()
    if name not in runtime.drained_store().facts(REGISTERED_MODEL, str(name)):
        make_registered_model(runtime, name)
    return make_version(runtime, name, model_uri, tags=tags)


def make_registered_model(
    runtime: Runtime, name: str, tags: Mapping[str, object] | None = None, description: str | None = None
) -> RegisteredModel:
    """Make a name that versions can be registered under; raise `AlreadyExistsError` for one that there is."""
    if "/" in check_name("a registered model's name", name) or ":" in name:
        raise ArgumentError(f"a registered model's name is a text without / and :, not {name!r}")
    if runtime.drained_store().facts(REGISTERED_MODEL, name):
        raise AlreadyExistsError(f"there is a registered model {name!r} already")
    facts = {"creation_time": str(runtime.clock_ns() // 1_000_000), **_about(tags, description)}
    runtime.keep_edit(Facts(REGISTERED_MODEL, name, dict(facts), runtime.edit_time_ns()))
    return registered_of_facts(name, facts)


def make_version(
    runtime: Runtime,
    name: str,
    source: str,
    *,
    run_id: str | None = None,
    tags: Mapping[str, object] | None = None,
    description: str | None = None,
    model_id: str | None = None,
) -> ModelVersion:
    """Make the next version of a registered name; raise `NotFoundError` for a name or a model that is not there."""
    place = check_name("a version's source, such as 'models:/MODEL_ID',", source)
    find_registered(runtime, name)
    wanted = model_id if model_id is not None else _model_in(place)
    if wanted is not None and not runtime.drained_store().facts(MODEL, wanted):
        raise NotFoundError(f"there is no model with the id {wanted!r}; create_external_model makes one")
    facts = {
        "source": place,
        "creation_time": str(runtime.clock_ns() // 1_000_000),
        **({} if wanted is None else {"model_id": wanted}),
        **({} if run_id is None else {"run_id": run_id}),
        **_about(tags, description),
    }
    number = 1 + max((int(each.version) for each in versions_of(runtime, name)), default=0)
    subject = f"{name}/{number}"
    runtime.keep_edit(Facts(MODEL_VERSION, subject, dict(facts), runtime.edit_time_ns()))
    return version_of_facts(subject, facts)


def find_registered(runtime: Runtime, name: str) -> RegisteredModel:
    """Return a registered name; raise `NotFoundError` where there is none."""
    facts = runtime.drained_store().facts(REGISTERED_MODEL, str(name)).get(str(name))
    if facts is None:
        raise NotFoundError(f"there is no registered model {name!r}; create_registered_model makes one")
    return registered_of_facts(name, facts)


def versions_of(runtime: Runtime, name: str) -> list[ModelVersion]:
    """Return the versions of a registered name, the first one first."""
    return versions_in(runtime.drained_store(), name)


def versions_in(store: Searched, name: str) -> list[ModelVersion]:
    """Return the versions of a registered name in a store, the first one first."""
    known = store.facts(MODEL_VERSION)
    found = [version_of_facts(subject, facts) for subject, facts in known.items()]
    return sorted((each for each in found if each.name == name), key=lambda each: int(each.version))


def find_version(runtime: Runtime, name: str, version: object) -> ModelVersion:
    """Return a version of a registered name; raise `NotFoundError` where there is none."""
    found = next((each for each in versions_of(runtime, name) if each.version == str(version)), None)
    if found is None:
        raise NotFoundError(f"there is no version {version!r} of a registered model {name!r}")
    return found


def resolve_model_ids(store: Searched, model: str) -> list[str]:
    """Return the ids of the models that a text names: an id, NAME/VERSION or NAME, each also behind `models:/`.

    NAME stands for all versions that are registered under it, and the version may be `latest`. What names nothing is
    taken for an id, which traces may have been given without a model that is known here.
    """
    wanted = model.removeprefix(_SCHEME)
    if store.facts(MODEL, wanted):
        return [wanted]
    name, separator, number = wanted.rpartition("/")
    versions = versions_in(store, name if separator else wanted)
    if separator:
        versions = versions[-1:] if number == _LATEST else [each for each in versions if each.version == number]
    found = list(dict.fromkeys(each.model_id for each in versions if each.model_id is not None))
    return found or [wanted]


def _model_in(source: str) -> str | None:
    """Return the model's id in a place of the form `models:/ID`."""
    rest = source.removeprefix(_SCHEME)
    return rest if source.startswith(_SCHEME) and rest and "/" not in rest else None


def _about(tags: Mapping[str, object] | None, description: str | None) -> dict[str, str]:
    said = {f"{TAG}{key}": value for key, value in check_texts("tags", tags).items()}
    return said if description is None else {**said, "description": clean_text(str(description))}
