"""What traces that are in memory add up to, group by group: the meaning of statistics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from tracehound.model.summary import SUMMED, Summary
from tracehound.model.trace import TraceInfo, TraceState
from tracehound.model.weight import WEIGHT, read_weight
from tracehound.query.evaluate import value_of
from tracehound.query.fields import ATTRIBUTES
from tracehound.query.statistics import DISTINCT, GroupKey, Groups, StatisticsQuery, keep_wanted


def add_up(infos: Sequence[TraceInfo], query: StatisticsQuery) -> Groups:
    """Return what traces add up to, which all match, in the groups of the query."""
    members: defaultdict[GroupKey, list[TraceInfo]] = defaultdict(list)
    for info in infos:
        period = () if query.period is None else (query.period.start_of(info.request_time),)
        members[(*period, *(value_of(field, info) for field in query.fields))].append(info)
    summarise = _summarise_weighted if query.are_weighted else _summarise
    return {key: summarise(infos, query.wanted) for key, infos in members.items()}


def _summarise(infos: Sequence[TraceInfo], wanted: AbstractSet[str]) -> Summary:
    """Return what traces add up to, as far as it is wanted."""
    summary = Summary()
    for info in infos:
        summary.add(is_error=info.state is TraceState.ERROR, duration_ms=info.execution_duration)
    for name in SUMMED:
        for info in infos:
            if (value := value_of(ATTRIBUTES[name], info)) is not None:
                summary.add_number(name, float(value))
    for name, field in DISTINCT.items():
        if name in wanted:
            summary.distinct[name] = len({value_of(field, info) for info in infos} - {None})
    keep_wanted(summary, wanted)
    return summary


def _summarise_weighted(infos: Sequence[TraceInfo], wanted: AbstractSet[str]) -> Summary:
    """Return what traces add up to where each counts as often as it stands for."""
    by_weight: defaultdict[float, list[TraceInfo]] = defaultdict(list)
    for info in infos:
        by_weight[read_weight(info.trace_metadata.get(WEIGHT))].append(info)
    summary = Summary(distinct=_summarise(infos, wanted).distinct)
    for weight, alike in sorted(by_weight.items()):
        summary.join(_summarise(alike, wanted).times(weight))
    return summary
