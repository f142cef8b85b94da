"""How long traces are kept: a setting of each experiment, which lies in the store, and what it makes old.

`tracehound gc` and the server delete by it. An experiment without the setting keeps its traces for good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tracehound.client.counting import count_traces
from tracehound.client.deletion import delete_oldest, started_before
from tracehound.client.pages import read_pages
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.derive import SIZE_BYTES
from tracehound.model.edit import Facts
from tracehound.query.times import parse_interval_ms
from tracehound.runtime import Runtime
from tracehound.store.api import Store
from tracehound.store.experiments import KIND, read_experiments, to_facts

_RETENTION: Final = "retention"


@dataclass(frozen=True)
class Old:
    """The traces of an experiment that began before a time: those that are not kept."""

    experiment_id: str
    before_ms: int


def parse_age_ms(what: str, age: str) -> int:
    """Return a length of time in milliseconds; raise `ArgumentError`, which says what it is for, where it is none."""
    found = parse_interval_ms(age)
    if not found:
        raise ArgumentError(f"{what} is a length of time such as 12h, 30d or 8w, not {age!r}")
    return found


def set_retention(runtime: Runtime, name: str, age: str | None) -> None:
    """Set for how long the traces of an experiment are kept, such as `30d`; for good with None.

    Raise `NotFoundError` where there is no such experiment, `ArgumentError` for what is no length of time.
    """
    if age is not None:
        parse_age_ms("how long traces are kept", age)
    known = {each.name: each for each in read_experiments(runtime.drained_store()).values()}
    if name not in known:
        raise NotFoundError(f"there is no experiment {name!r}; there are {', '.join(map(repr, sorted(known)))}")
    said = {**to_facts(name, {}, None), _RETENTION: age}
    runtime.keep_edit(Facts(KIND, known[name].experiment_id, said, runtime.edit_time_ns()))


def read_retention(store: Store) -> dict[str, str]:
    """Return for how long traces are kept, by the ids of the experiments that have the setting."""
    return {number: facts[_RETENTION] for number, facts in store.facts(KIND).items() if _RETENTION in facts}


def find_old(store: Store, now_ms: int) -> list[Old]:
    """Return what the settings of the experiments make old."""
    return old_of(read_retention(store), now_ms)


def old_of(ages: Mapping[str, str], now_ms: int) -> list[Old]:
    """Return what is old in each of some experiments, given how long its traces are kept."""
    return [Old(number, now_ms - parse_age_ms("how long traces are kept", age)) for number, age in ages.items()]


def count_old(store: Store, old: Sequence[Old]) -> int:
    """Return how many traces are old."""
    return sum(count_traces(store, started_before(each.experiment_id, each.before_ms)) for each in old)


def measure_old(store: Store, old: Sequence[Old], tell: Callable[[int], None]) -> tuple[int, int]:
    """Return how many traces are old, and how many bytes their spans have as JSON; each page is told of."""
    count = size_bytes = 0
    for each in old:
        for page in read_pages(store, started_before(each.experiment_id, each.before_ms), include_spans=False):
            count += len(page)
            size_bytes += sum(_size_of(trace.info.trace_metadata.get(SIZE_BYTES)) for trace in page)
            tell(count)
    return count, size_bytes


def delete_old(store: Store, old: Sequence[Old], tell: Callable[[int], None], most: int | None = None) -> int:
    """Delete the old traces in small steps, at most so many; return how many.

    `tell` is called after each step with how many it has deleted. When this is interrupted, what is deleted stays so.
    """
    deleted = 0
    for each in old:
        if most is not None and deleted >= most:
            break
        left = None if most is None else most - deleted
        deleted += delete_oldest(store, started_before(each.experiment_id, each.before_ms), left, tell)
    return deleted


def _size_of(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
