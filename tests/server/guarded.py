"""A guarded server in this process, with traces of two teams, and requests for each row of the route table."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from tests.server.otlp import request_of
from tests.traces import START_MS, part, span
from tracehound.model.assessment import AssessmentSource, Feedback
from tracehound.model.edit import ASSESSMENT, Edit, Facts
from tracehound.model.ids import experiment_id
from tracehound.model.logged_model import MODEL
from tracehound.model.record import replace, to_json_text, to_msgpack
from tracehound.model.run import RUN
from tracehound.model.trace import Trace
from tracehound.server.app import create_app
from tracehound.server.guard.credentials import Credentials
from tracehound.server.guard.guards import TokenGuard
from tracehound.server.guard.rights import Role
from tracehound.server.guard.tokens import create_token, revoke_token
from tracehound.server.limits import ServerLimits
from tracehound.server.reading_process import PROTOBUF
from tracehound.server.rows import Call, Row
from tracehound.settings import Settings
from tracehound.store.api import Store
from tracehound.store.experiments import KIND
from tracehound.store.remote import forms
from tracehound.store.sqlite.store import SqliteStore
from tracehound.wire.frames import to_frame


@dataclass(frozen=True)
class Team:
    """What somebody has in the store: an experiment, and one of everything in it."""

    experiment: str
    number: int
    trace_id: str
    span_id: str
    run_id: str
    model_id: str
    assessment_id: str

    @property
    def experiment_id(self) -> str:
        return experiment_id(self.experiment)

    @property
    def secret(self) -> str:
        """What stands in all that the team has, and nowhere else."""
        return f"secret of {self.experiment}"

    def names(self) -> list[str]:
        """Return all that names something of the team, the longest first."""
        said = [str(getattr(self, field.name)) for field in fields(self) if field.name != "number"]
        return sorted([*said, self.experiment_id], key=len, reverse=True)


def team(experiment: str, number: int) -> Team:
    digits = f"{number:032x}"
    return Team(experiment, number, f"tr-{digits}", f"{number:016x}", digits, f"m-{digits}", f"a-{digits}")


OURS, THEIRS, NOBODY = team("ours", 0xA1), team("theirs", 0xB2), team("nobody", 0xC3)


def fill(store: Store, whose: Team) -> None:
    """Put a trace, a run, a model and an assessment of a team into the store."""
    texts = {
        "mlflow.sourceRun": whose.run_id,
        "mlflow.modelId": whose.model_id,
        "note": whose.secret,
        "mlflow.trace.user": whose.secret,
    }
    root = replace(span(whose.number, whose.number, name=whose.secret), inputs_json=f'"{whose.secret}"')
    said = Feedback(whose.secret, value=True, rationale=whose.secret, source=AssessmentSource("HUMAN", whose.secret))
    assessment = {**said.to_dict(), "assessment_id": whose.assessment_id, "trace_id": whose.trace_id}
    run = {"experiment": whose.experiment, "name": whose.secret, "status": "RUNNING", "start_time": str(START_MS)}
    store.write(
        [
            part(root, experiment=whose.experiment, tags={"tag": whose.secret}, metadata=texts),
            Edit(whose.trace_id, whose.assessment_id, to_json_text(assessment), 1, ASSESSMENT),
            Facts(KIND, whose.experiment_id, {"name": whose.experiment, "tag.tag": whose.secret}, 1),
            Facts(RUN, whose.run_id, {**run, "tag.tag": whose.secret, "user_id": ""}, 1),
            Facts(
                MODEL,
                whose.model_id,
                {**run, "status": "READY", "tag.tag": whose.secret, "file.MLmodel": whose.secret},
                1,
            ),
        ]
    )


def kept_of(store: Store, whose: Team) -> tuple[Trace | None, list[dict[str, dict[str, str]]]]:
    """Return all that the store has of a team."""
    known = [store.facts(kind) for kind in (KIND, RUN, MODEL)]
    subjects = (whose.experiment_id, whose.run_id, whose.model_id)
    said = [{key: each[key] for key in each if key in subjects} for each in known]
    return store.read_traces([whose.trace_id]).get(whose.trace_id), said


@dataclass(frozen=True)
class Guarded:
    """A server that is guarded, and tokens for it, by what they are for."""

    client: TestClient
    store: SqliteStore
    tokens: dict[str, str]

    def ask(self, row: Row, whose: Team, token: str | None, **headers: str) -> Any:
        """Return the answer to the request for a row, about what a team has."""
        shown = {} if token is None else {"Authorization": f"Bearer {self.tokens.get(token, token)}"}
        asked = request_for(row, whose)
        asked["headers"] = {**asked.get("headers", {}), **shown, **headers}
        return self.client.request(row.method, address_for(row, whose), follow_redirects=False, **asked)


@contextmanager
def guarding(path: Path) -> Iterator[Guarded]:
    """Guard a store with traces of two teams."""
    store = SqliteStore(path)
    for whose in (OURS, THEIRS):
        fill(store, whose)
    tokens = {role.value: create_token(store, role, "a test")[0] for role in Role}
    for role in Role:
        tokens[f"our {role.value}"] = create_token(store, role, "a test", experiments=[OURS.experiment])[0]
    tokens["expired"] = create_token(store, Role.ADMIN, "a test", expires_ms=time.time_ns() // 1_000_000)[0]
    tokens["revoked"], revoked = create_token(store, Role.ADMIN, "a test")
    revoke_token(store, revoked.token_id, "a test")
    tokens["unknown"] = f"th_{'0' * 12}_{'0' * 64}"
    tokens["forged"] = tokens["admin"][:-1] + ("0" if tokens["admin"][-1] != "0" else "1")
    guard = TokenGuard(Credentials(store, is_required=False), ["testserver"])
    app = create_app(store, Settings(str(path)), ServerLimits(wait_for_spans_s=0.0), guard=guard)
    with TestClient(app) as client:
        yield Guarded(client, store, tokens)
    store.close()


def address_for(row: Row, whose: Team) -> str:
    """Return the address of a row for what a team has."""
    spans = f"{whose.experiment_id}/traces/{whose.trace_id}/artifacts/traces.json"
    said = {**_said_of(whose), "path": spans if "artifacts/" in row.path else "nowhere", "tag_key": "tag"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: str(said.get(found[1], "nowhere")), row.path)


def request_for(row: Row, whose: Team) -> dict[str, Any]:
    """Return what a row is asked with, about what a team has."""
    operation = row.path.removeprefix(f"{forms.PATH}/")
    if operation in FORMS:
        form = FORMS[operation](whose)
        return {"content": to_msgpack(form), "headers": {"Content-Type": forms.MSGPACK}}
    if row.path == forms.FRAMES_PATH:
        new = part(span(1, whose.number), experiment=whose.experiment)
        return {"content": to_frame(new), "headers": {forms.SPOOL_HEADER: "spool"}}
    if row.path == "/v1/traces":
        content = request_of((whose.number, 7)).SerializeToString()
        return {"content": content, "headers": {"Content-Type": PROTOBUF, "x-tracehound-experiment": whose.experiment}}
    if "artifacts/" in row.path:
        new_span = span(1, whose.number)
        return {} if row.method == "GET" else {"content": to_json_text({"spans": [new_span.to_dict()]})}
    if isinstance(row, Call):
        known = {key: value for key, value in _said_of(whose).items() if key in row.request.__struct_fields__}
        in_path = set(re.findall(r"\{(\w+)", row.path))
        rest = {key: value for key, value in known.items() if key not in in_path}
        return {"json": rest} if row.has_body else {"params": rest}
    if row.path.endswith("/traces/export"):
        return {"params": {"experiment_ids": whose.experiment_id}}
    if row.path.startswith("/api/"):
        return {"params": _message(whose)} if row.method == "GET" else {"json": _message(whose)}
    return {}


def _said_of(whose: Team) -> dict[str, Any]:
    """Return what the fields of our own requests may hold, by their names."""
    return {
        "trace_id": whose.trace_id, "span_id": whose.span_id, "trace_ids": [whose.trace_id],
        "experiment_id": whose.experiment_id, "experiment_ids": [whose.experiment_id], "run_id": whose.run_id,
        "model_id": whose.model_id, "assessment_id": whose.assessment_id, "key": "tag", "value": "changed",
        "tags": {"tag": "changed"}, "name": whose.experiment, "text": whose.secret, "group_by": ["name"],
        "other_id": whose.trace_id, "field": "user", "fields": ["name"], "by": "name", "baseline": whose.secret,
        "candidate": "other", "left": whose.span_id,
    }  # fmt: skip


def _message(whose: Team) -> dict[str, Any]:
    """Return a message that holds what all of MLflow's routes ask for."""
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": whose.experiment_id}}
    pairs = [{"key": "tag", "value": "changed"}]
    times = {"request_time": "2025-01-01T00:00:00Z", "execution_duration": "1s", "state": "OK"}
    info = {"trace_id": whose.trace_id, "trace_location": place, **times}
    assessment = {"assessment_name": "new", "feedback": {"value": 1}, "rationale": "changed"}
    source = {"source_type": "HUMAN", "source_id": "x"}
    return _said_of(whose) | {
        "experiment_name": whose.experiment, "request_ids": [whose.trace_id], "locations": [place],
        "trace": {"trace_info": info}, "assessment": {**assessment, "source": source}, "update_mask": "rationale",
        "params": pairs, "tags": pairs, "metrics": [], "status": "FINISHED", "timestamp": 1, "timestamp_ms": 1,
        "execution_time_ms": 1, "max_results": 10, "prompt_versions": [{"name": "p", "version": "1"}],
    }  # fmt: skip


def _search(whose: Team) -> forms.SearchForm:
    order = ["attributes.timestamp_ms DESC", "attributes.trace_id ASC"]
    return forms.SearchForm([whose.experiment_id], None, order, 10, None, 1, START_MS, None, 0.0)


# What each operation of a store is asked with; one that is new needs a line here.
FORMS: dict[str, Any] = {
    "search": _search,
    "search-whole": _search,
    "explain": _search,
    "traces": lambda whose: forms.TraceIdsForm([whose.trace_id]),
    "statistics": lambda whose: forms.StatisticsForm(_search(whose), ["attributes.name"], None, "UTC", ["count"]),
    "sql": lambda _whose: forms.SqlForm("SELECT * FROM traces", [], None, 0.0),
    "experiments": lambda _whose: forms.Form(),
    "facts": lambda whose: forms.SubjectForm(RUN, whose.run_id),
    "arrivals": lambda _whose: forms.BehindForm(None, 10),
    "version": lambda _whose: forms.Form(),
    "position": lambda _whose: forms.SpoolNameForm("spool", "name"),
    "segments": lambda _whose: forms.SpoolForm("spool"),
    "forget-segment": lambda _whose: forms.SpoolNameForm("spool", "name"),
    "running-owners": lambda _whose: forms.SpoolForm("spool"),
    "end-owner": lambda _whose: forms.SpoolNameForm("spool", "name"),
    "reclaim": lambda _whose: forms.NumbersForm([0]),
}
