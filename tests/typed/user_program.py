"""A program as a user writes it. `./dev lint` runs mypy in strict mode over it; its types are asserted."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import polars as pl
from typing_extensions import assert_type

import tracehound
from tracehound.model.trace import Trace


@tracehound.trace
def bare(question: str, top: int = 3) -> list[str]:
    return [question] * top


@tracehound.trace(name="named", span_type="TOOL", attributes={"k": 1})
def with_arguments(question: str) -> bytes:
    return question.encode()


@tracehound.trace
async def coroutine(question: str) -> str:
    return question


class Shop:
    @tracehound.trace
    def sell(self, item: str) -> float:
        return float(len(item))


def takes_a_frame(frame: pd.DataFrame) -> int:
    return len(frame)


async def use() -> None:
    assert_type(bare("why?", top=2), list[str])
    assert_type(with_arguments("why?"), bytes)
    assert_type(await coroutine("why?"), str)
    assert_type(Shop().sell("bone"), float)
    assert_type(tracehound.trace(len)("abc"), int)
    bare(5)  # type: ignore[arg-type] # the decorator keeps the parameters' types

    with tracehound.start_span("rank", span_type="RERANKER") as span:
        span.set_inputs({"n": 1})
        assert_type(span.trace_id, str)

    takes_a_frame(tracehound.search_traces("tags.env = 'prod'"))
    assert_type(tracehound.search_traces(max_results=5).wide(), pd.DataFrame)
    assert_type(tracehound.search_traces(return_type="iterator"), Iterator[Trace])
    assert_type(tracehound.search_traces(return_type="polars"), pl.DataFrame)
    assert_type(tracehound.search_traces(return_type="list", max_results=5), list[Trace])
    assert_type(tracehound.get_trace("tr-1"), Trace | None)
    assert_type(tracehound.set_experiment("shop").experiment_id, str)
