"""A store seen through rights is the store as if there were only the traces of those experiments."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SEARCHES, SEARCHES_OF_TRACES
from tests.query.searches import FILTERS, GROUPS, ORDERS, TRACES
from tests.server.guarded import NOBODY, OURS, THEIRS, fill, kept_of
from tests.traces import part, span
from tracehound.errors import NotFoundError
from tracehound.model.edit import DISCARD, Change, Deletion, Edit, Facts
from tracehound.model.ids import experiment_id
from tracehound.model.logged_model import REGISTERED_MODEL
from tracehound.model.run import RUN
from tracehound.model.trace import TracePart
from tracehound.query.search import Search, parse_search
from tracehound.query.statistics import ALL, StatisticsQuery, parse_groups
from tracehound.server.guard.audit import read_entries
from tracehound.server.guard.narrowed import NarrowedStore
from tracehound.server.guard.rights import GIVEN, DeniedError, OtherExperimentError, Rights, Role
from tracehound.server.guard.tokens import KIND as TOKEN
from tracehound.store.api import Store, Writable
from tracehound.store.experiments import KIND as EXPERIMENT
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite.preparing import prepare

EXPERIMENTS = [experiment_id("Default"), experiment_id("shop")]


def seen_by(store: Store, role: Role, *names: str) -> NarrowedStore:
    return NarrowedStore(store, Rights("a test", GIVEN[role], frozenset(map(experiment_id, names))))


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    fill(made, OURS)
    fill(made, THEIRS)
    return made


def pages(store: Store, search: Search) -> list[list[str]]:
    found = []
    cursor: str | None = ""
    while cursor is not None:
        page = store.search(search.behind(cursor) if cursor else search)
        found.append([each.trace_id for each in page.traces])
        cursor = page.next_cursor
    return found


@settings(max_examples=SEARCHES // SEARCHES_OF_TRACES)  # each makes a set of traces
@given(said=TRACES, where=FILTERS, order=ORDERS, groups=GROUPS, limit=st.integers(1, 3), after=st.integers(0, 4))
def test_it_answers_as_a_store_of_those_traces_alone_would(
    said: Sequence[TracePart | Edit], where: str, order: list[str], groups: list[str], limit: int, after: int
) -> None:
    whole, alone = MemoryStore(), MemoryStore()
    whole.write(said)
    seen = seen_by(whole, Role.READ, "shop")
    ids = [each.trace_id for each in said]
    is_in_shop = {key: each.info.experiment_id == experiment_id("shop") for key, each in whole.read_traces(ids).items()}
    alone.write([each for each in said if is_in_shop.get(each.trace_id)])
    search = parse_search(EXPERIMENTS, where, order, limit=limit, now_ms=0)
    assert pages(seen, search) == pages(alone, search)
    assert [each.info for each in seen.search_whole(search).traces] == seen.search(search).traces
    query = StatisticsQuery(search, tuple(parse_groups(groups)), None, frozenset(ALL))
    assert seen.statistics(query) == alone.statistics(query)
    assert seen.experiments() == alone.experiments()
    assert seen.read_traces(ids).keys() == alone.read_traces(ids).keys()
    numbered = [each.info.trace_id for each in alone.arrivals(0, 100)]
    assert [each.info.trace_id for each in seen.arrivals(None, limit)] == numbered[-limit:]
    behind = [each.info.trace_id for each in whole.arrivals(after, 100) if is_in_shop[each.info.trace_id]]
    for _ in range(2):  # the second time it knows where nothing is
        assert [each.info.trace_id for each in seen.arrivals(after, limit)] == behind[:limit]


def test_arrivals_are_found_behind_and_before_many_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracehound.server.guard.narrowed._LOOKED_AT", 2)
    store = MemoryStore()
    seen = seen_by(store, Role.READ, "ours")
    numbers = itertools.count(1)

    def arrive(experiment: str) -> None:
        number = next(numbers)
        store.write([part(span(1, number), experiment=experiment)])

    for experiment in ["ours", *["theirs"] * 9, "ours", *["theirs"] * 7]:
        arrive(experiment)
    assert [each.number for each in seen.arrivals(None, 1)] == [11]
    assert [each.number for each in seen.arrivals(1, 5)] == [11]
    assert seen.arrivals(11, 5) == seen.arrivals(11, 5) == []
    arrive("ours")
    assert [each.number for each in seen.arrivals(11, 5)] == [19]
    assert [each.number for each in seen.arrivals(0, 2)] == [1, 11]


def new_part(trace: int, experiment: str) -> TracePart:
    return part(span(1, trace), experiment=experiment)


REFUSED: dict[str, tuple[type[Exception], Change]] = {
    "a trace of another experiment": (OtherExperimentError, new_part(1, "theirs")),
    "a span of a trace of others": (OtherExperimentError, new_part(THEIRS.number, "ours")),
    "a tag of a trace of others": (NotFoundError, Edit(THEIRS.trace_id, "tag", "x", 2)),
    "a tag of a trace that is not there": (NotFoundError, Edit(NOBODY.trace_id, "tag", "x", 2)),
    "the end of a trace of others": (NotFoundError, Deletion(THEIRS.trace_id, 2)),
    "the end of a trace that is not there": (NotFoundError, Deletion(NOBODY.trace_id, 2)),
    "a tag of another experiment": (DeniedError, Facts(EXPERIMENT, THEIRS.experiment_id, {"tag.x": "y"}, 2)),
    "a run of others": (DeniedError, Facts(RUN, THEIRS.run_id, {"tag.x": "y"}, 2)),
    "a run that is taken over": (DeniedError, Facts(RUN, THEIRS.run_id, {"experiment": "ours"}, 2)),
    "a run that is given away": (DeniedError, Facts(RUN, OURS.run_id, {"experiment": "theirs"}, 2)),
    "a run of another experiment": (DeniedError, Facts(RUN, NOBODY.run_id, {"experiment": "theirs"}, 2)),
    "a run of no experiment": (DeniedError, Facts(RUN, NOBODY.run_id, {"tag.x": "y"}, 2)),
    "a name in the registry": (DeniedError, Facts(REGISTERED_MODEL, "m", {"x": "y"}, 2)),
}
ALLOWED: dict[str, list[Change]] = {
    "a trace": [new_part(1, "ours")],
    "a span of a trace": [new_part(OURS.number, "ours")],
    "a trace with a tag": [Edit(NOBODY.trace_id, "tag", "x", 2), new_part(NOBODY.number, "ours")],
    "a tag": [Edit(OURS.trace_id, "tag", "x", 2)],
    "what was not kept": [Edit(NOBODY.trace_id, "spool/process", None, 2, DISCARD)],
    "the end of a trace": [Deletion(OURS.trace_id, 2)],
    "a tag of an experiment": [Facts(EXPERIMENT, OURS.experiment_id, {"tag.x": "y"}, 2)],
    "a run, and its tag": [
        Facts(RUN, NOBODY.run_id, {"experiment": "ours"}, 2), Facts(RUN, NOBODY.run_id, {"tag.x": "y"}, 3)
    ],
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_who_is_limited_may_not_write(what: str, store: MemoryStore) -> None:
    error, change = REFUSED[what]
    before = [kept_of(store, whose) for whose in (OURS, THEIRS, NOBODY)]
    with pytest.raises(error) as caught:
        seen_by(store, Role.ADMIN, "ours").write([new_part(1, "ours"), change])
    assert type(caught.value) is error
    assert THEIRS.secret not in str(caught.value)
    assert [kept_of(store, whose) for whose in (OURS, THEIRS, NOBODY)] == before
    assert not store.read_traces([new_part(1, "").trace_id]), "nothing of the batch is written"


@pytest.mark.parametrize("what", REFUSED)
def test_parts_that_were_made_ready_are_refused_as_others_are(what: str, store: MemoryStore) -> None:
    error, change = REFUSED[what]
    with pytest.raises(error) as caught:
        seen_by(store, Role.ADMIN, "ours").check(made_ready([new_part(1, "ours"), change]))
    assert type(caught.value) is error
    assert THEIRS.secret not in str(caught.value)


@pytest.mark.parametrize("what", ALLOWED)
def test_parts_that_were_made_ready_may_be_written_as_others_may(what: str, store: MemoryStore) -> None:
    seen_by(store, Role.INGEST if what.startswith("a trace") else Role.ADMIN, "ours").check(made_ready(ALLOWED[what]))
    with pytest.raises(DeniedError):
        seen_by(store, Role.READ, "ours").check(made_ready(ALLOWED[what]))


def made_ready(changes: Sequence[Change]) -> list[Writable]:
    """Return changes with each part as it is made ready for a store in a file."""
    return [prepare([each]) if isinstance(each, TracePart) else each for each in changes]


@pytest.mark.parametrize("what", ALLOWED)
def test_who_is_limited_may_write(what: str, store: MemoryStore) -> None:
    assert seen_by(store, Role.ADMIN, "ours").write(ALLOWED[what])
    assert kept_of(store, THEIRS)[0] is not None


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        (Role.READ, {*ALLOWED}),
        (Role.INGEST, {"a tag", "the end of a trace"}),
        (Role.WRITE, {"the end of a trace"}),
        (Role.ADMIN, set()),
    ],
)
def test_what_may_be_written_follows_from_the_role_whichever_route_it_comes_by(role: Role, refused: set[str]) -> None:
    def is_refused(what: str) -> bool:
        store = MemoryStore()
        fill(store, OURS)
        try:
            seen_by(store, role, "ours").write(ALLOWED[what])
        except DeniedError:
            return True
        return False

    assert {what for what in ALLOWED if is_refused(what)} == refused


@pytest.mark.parametrize(
    ("facts", "roles"),
    [
        (Facts(EXPERIMENT, "1", {"name": "x", "tag.x": "y"}, 1), {Role.INGEST, Role.WRITE, Role.ADMIN}),
        (Facts(EXPERIMENT, "1", {"name": "x", "keeps": "30d"}, 1), {Role.ADMIN}),
        (Facts(RUN, "1", {"experiment": "x"}, 1), {Role.INGEST, Role.WRITE, Role.ADMIN}),
        (Facts(REGISTERED_MODEL, "1", {"x": "y"}, 1), {Role.WRITE, Role.ADMIN}),
        (Facts("something new", "1", {"x": "y"}, 1), {Role.ADMIN}),
    ],
)
def test_what_nobody_has_thought_of_is_for_those_who_administer(facts: Facts, roles: set[Role]) -> None:
    def may(role: Role) -> bool:
        try:
            return NarrowedStore(MemoryStore(), Rights("a test", GIVEN[role])).write([facts])
        except DeniedError:
            return False

    assert {role for role in Role if may(role)} == roles


def test_tokens_and_the_audit_log_are_told_and_written_by_nobody(store: MemoryStore) -> None:
    everything = NarrowedStore(store, Rights("a test", GIVEN[Role.ADMIN]))
    for kind in (TOKEN, "audit"):
        store.write([Facts(kind, "1", {"role": "admin"}, 1)])
        assert everything.facts(kind) == everything.facts(kind, "1") == {}
        with pytest.raises(DeniedError):
            everything.write([Facts(kind, "2", {"role": "admin"}, 1)])


def test_each_deletion_is_in_the_audit_log_with_who_and_what(store: MemoryStore) -> None:
    seen_by(store, Role.ADMIN, "ours").write([Deletion(OURS.trace_id, 5)])
    with pytest.raises(NotFoundError):
        seen_by(store, Role.ADMIN, "ours").write([Deletion(THEIRS.trace_id, 5)])
    [entry] = read_entries(store)
    assert (entry.who, entry.what, entry.subjects) == ("a test", "traces deleted", (OURS.trace_id,))


@pytest.mark.parametrize("ask", ["explain", "sql"])
def test_what_cannot_be_narrowed_is_refused(ask: str, store: MemoryStore) -> None:
    seen = seen_by(store, Role.ADMIN, "ours")
    with pytest.raises(DeniedError, match="not limited to some"):
        seen.sql("SELECT 1") if ask == "sql" else seen.explain(parse_search([OURS.experiment_id]))
