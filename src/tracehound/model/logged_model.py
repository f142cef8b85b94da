"""A model, or a version of an application: what traces are produced by; and the registry, which names versions of it.

A store knows both by facts (`model.edit`).
"""

from __future__ import annotations

from typing import Any, Final

from tracehound.model.ids import experiment_id
from tracehound.model.record import Record
from tracehound.model.run import PARAM, TAG, with_prefix

MODEL: Final = "model"
REGISTERED_MODEL: Final = "registered_model"
MODEL_VERSION: Final = "model_version"
STATUSES: Final = ("PENDING", "READY", "UPLOAD_FAILED")


class LoggedModel(Record, frozen=True):
    """A model as it was when it was read; times are milliseconds since the epoch.

    >>> import tracehound
    >>> model = tracehound.create_external_model("agent-v2", params={"temperature": 0.2})
    >>> model.name, model.status, model.params
    ('agent-v2', 'READY', {'temperature': '0.2'})
    """

    model_id: str
    name: str
    experiment_id: str
    creation_timestamp: int
    last_updated_timestamp: int
    status: str = "READY"
    model_type: str | None = None
    source_run_id: str | None = None
    tags: dict[str, str] = {}
    params: dict[str, str] = {}

    @property
    def model_uri(self) -> str:
        """The model's name for `register_model`."""
        return f"models:/{self.model_id}"

    def to_dictionary(self) -> dict[str, Any]:
        """Return the model as plain values."""
        return {name: getattr(self, name) for name in self.__struct_fields__}

    def __hash__(self) -> int:
        return hash(self.model_id)


class RegisteredModel(Record, frozen=True):
    """A name that versions are registered under.

    >>> import tracehound
    >>> client = tracehound.MlflowClient()
    >>> client.create_registered_model("agent", tags={"team": "a"}, description="answers questions").tags
    {'team': 'a'}
    >>> client.get_registered_model("agent").description
    'answers questions'
    """

    name: str
    creation_timestamp: int
    description: str | None = None
    tags: dict[str, str] = {}


class ModelVersion(Record, frozen=True):
    """A version of a registered name, and the model that it is, if that is known; a number as a text, from "1" up.

    >>> import tracehound
    >>> model = tracehound.create_external_model("agent-v2")
    >>> version = tracehound.register_model(model.model_uri, "agent")
    >>> version.name, version.version, version.model_id == model.model_id
    ('agent', '1', True)
    """

    name: str
    version: str
    source: str
    creation_timestamp: int
    model_id: str | None = None
    run_id: str | None = None
    description: str | None = None
    tags: dict[str, str] = {}


def model_of_facts(model_id: str, facts: dict[str, str]) -> LoggedModel:
    """Return the model that facts tell of."""
    created = int(facts.get("creation_time", "0"))
    return LoggedModel(
        model_id=model_id,
        name=facts.get("name", model_id),
        experiment_id=experiment_id(facts.get("experiment", "Default")),
        creation_timestamp=created,
        last_updated_timestamp=int(facts.get("last_updated", created)),
        status=facts.get("status", "READY"),
        model_type=facts.get("model_type"),
        source_run_id=facts.get("source_run_id"),
        tags=with_prefix(facts, TAG),
        params=with_prefix(facts, PARAM),
    )


def registered_of_facts(name: str, facts: dict[str, str]) -> RegisteredModel:
    """Return the registered name that facts tell of."""
    return RegisteredModel(
        name, int(facts.get("creation_time", "0")), facts.get("description"), with_prefix(facts, TAG)
    )


def version_of_facts(subject: str, facts: dict[str, str]) -> ModelVersion:
    """Return the version that facts tell of; its subject is NAME/VERSION."""
    name, _, version = subject.rpartition("/")
    return ModelVersion(
        name, version, facts.get("source", ""), int(facts.get("creation_time", "0")), facts.get("model_id"),
        facts.get("run_id"), facts.get("description"), with_prefix(facts, TAG),
    )  # fmt: skip
