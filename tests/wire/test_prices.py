"""What a call cost follows from its tokens, its model and its time, without asking anybody."""

from __future__ import annotations

import datetime
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given, reject
from hypothesis import strategies as st

from tests.traces import part, span
from tracehound.errors import ArgumentError
from tracehound.model.record import replace
from tracehound.model.span import Span
from tracehound.wire.bundled_prices import BundledPrices, Tokens
from tracehound.wire.prices import Prices, parse_prices

BUNDLED = BundledPrices()
USAGE = {"input_tokens": 1_000_000, "output_tokens": 100_000, "total_tokens": 1_100_000}


def call(model: Any = "gpt-4o-mini", usage: Any = USAGE, span_type: str = "CHAT_MODEL", **more: Any) -> Span:
    told = {"mlflow.llm.model": model, "mlflow.chat.tokenUsage": usage, **more}
    texts = {key.replace("__", "."): json.dumps(value) for key, value in told.items() if value is not None}
    return replace(span(1), span_type=span_type, attributes_json=texts)


def cost_of(prices: Prices, one: Span) -> Any:
    return prices.priced(part(one)).spans[0].llm_cost


def table(path: Path, rows: Any) -> Prices:
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows), "utf-8")
    return Prices(str(path))


def test_a_table_of_the_users_own_counts_before_the_bundled_one(tmp_path: Path) -> None:
    prices = table(tmp_path / "prices.json", {"gpt-4o-mini": {"input": 2, "output": 10}})
    assert cost_of(prices, call()) == {"input_cost": 2.0, "output_cost": 1.0, "total_cost": 3.0}


def test_a_name_counts_before_a_pattern_and_the_first_pattern_before_the_others(tmp_path: Path) -> None:
    rows = {"my-*": {"input": 1, "output": 0}, "*": {"input": 9, "output": 9}, "my-own": {"input": 0, "output": 0}}
    prices = table(tmp_path / "prices.json", rows)
    assert cost_of(prices, call("my-large"))["total_cost"] == 1.0
    assert cost_of(prices, call("my-own"))["total_cost"] == 0.0
    assert cost_of(prices, call("other"))["total_cost"] == 9.9


def test_tokens_of_a_cache_have_prices_of_their_own(tmp_path: Path) -> None:
    row = {"input": 10, "output": 0, "cache_read": 1, "cache_write": 20}
    prices = table(tmp_path / "prices.json", {"m": row})
    cached = {**USAGE, "cache_read_input_tokens": 500_000, "cache_creation_input_tokens": 100_000}
    assert cost_of(prices, call("m", cached))["input_cost"] == pytest.approx(4 + 0.5 + 2)
    apart = {"input_tokens": 100_000, "output_tokens": 0, "cache_read_input_tokens": 500_000}  # as Anthropic counts
    assert cost_of(prices, call("m", apart))["input_cost"] == pytest.approx(1 + 0.5)


def test_the_bundled_table_knows_well_known_models_and_their_dated_names() -> None:
    prices = Prices()
    known = cost_of(prices, call("gpt-4o-mini-2024-07-18", mlflow__llm__provider="openai"))
    assert known["total_cost"] == pytest.approx(0.15 + 0.06)
    assert cost_of(prices, call("gpt-4o-mini", mlflow__llm__provider="a gateway of ours")) == known
    assert cost_of(prices, call("nobody-knows-this-model")) is None
    assert cost_of(prices, call("gpt-oss:20b", mlflow__llm__provider="ollama")) is None


@pytest.mark.parametrize(
    "given",
    [
        call(None),
        call(usage=None),
        call(usage={"total_tokens": 5}),
        call(usage="many"),
        call(model=3),
        call(span_type="AGENT"),
        call(mlflow__llm__cost={"total_cost": 7.0}),
    ],
)
def test_where_something_is_missing_or_said_the_part_stays_as_it_is(given: Span) -> None:
    one = part(given)
    assert Prices().priced(one) is one


def test_a_priced_part_is_not_priced_again() -> None:
    prices = Prices()
    once = prices.priced(part(call()))
    assert prices.priced(once) is once


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no JSON"),
        ("[]", "a row for each model"),
        ('{"m": 3}', "the row of 'm' is an object"),
        ('{"m": {"input": 1}}', "'output' in the row of 'm' is US dollars for a million tokens, and is missing"),
        ('{"m": {"input": -1, "output": 1}}', "not -1"),
        ('{"m": {"input": 1, "output": "two"}}', "not 'two'"),
        ('{"m": {"input": 1, "output": 1, "cached": 1}}', "'cached'; what it may have is input, output, cache_read"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_what_is_wrong_where(text: str, told: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        parse_prices(text)
    assert told in str(refused.value)


def test_a_table_that_cannot_be_used_is_named_once_and_the_bundled_one_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = table(tmp_path / "prices.json", '{"gpt-4o-mini": 3}')
    with caplog.at_level(logging.WARNING):
        assert cost_of(broken, call())["total_cost"] == pytest.approx(0.21)
        assert cost_of(broken, call())["total_cost"] == pytest.approx(0.21)
    [said] = caplog.messages
    assert "prices.json" in said
    assert "TRACEHOUND_PRICES" in said
    assert "the row of 'gpt-4o-mini'" in said
    assert cost_of(Prices(str(tmp_path / "missing.json")), call()) is not None


@given(
    st.dictionaries(
        st.sampled_from(["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]),
        st.integers(-5, 10**12) | st.floats() | st.text(max_size=2) | st.none(),
    )
)
def test_no_usage_makes_it_raise(usage: dict[str, Any]) -> None:
    told = cost_of(Prices(), call(usage=usage))
    assert told is None or told["total_cost"] >= 0


def test_a_program_prices_its_calls_by_the_table_that_the_environment_names(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_text('{"my-model": {"input": 1, "output": 2}}')
    program = """
import tracehound
with tracehound.start_span("call", span_type="CHAT_MODEL") as span:
    span.set_attributes({"mlflow.llm.model": "my-model",
                         "mlflow.chat.tokenUsage": {"input_tokens": 1_000_000, "output_tokens": 500_000}})
[trace] = tracehound.search_traces("attributes.cost = 2", return_type="list")
print(trace.data.spans[0].llm_cost)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "TRACEHOUND_PRICES": str(tmp_path / "prices.json")},
    )  # fmt: skip
    assert done.stdout.strip() == "{'input_cost': 1.0, 'output_cost': 1.0, 'total_cost': 2.0}"


def models_of_the_table() -> list[tuple[str, str]]:
    return [(provider.id, model.id) for provider in get_snapshot().providers for model in provider.models]


@given(
    st.sampled_from(models_of_the_table()),
    st.tuples(*[st.integers(0, 10**7)] * 4),
    st.integers(1_600_000_000, 1_900_000_000),
)
def test_a_cost_is_that_of_the_library_of_the_bundled_table(
    model: tuple[str, str], counts: tuple[int, int, int, int], at_s: int
) -> None:
    plain, made, cache_read, cache_write = counts
    tokens = Tokens(plain + cache_read + cache_write, made, cache_read, cache_write)
    usage = genai_prices.Usage(
        input_tokens=tokens.input, output_tokens=made, cache_read_tokens=cache_read, cache_write_tokens=cache_write
    )
    moment = datetime.datetime.fromtimestamp(at_s, datetime.timezone.utc)
    try:
        found = genai_prices.calc_price(usage, model[1], provider_id=model[0], genai_request_timestamp=moment)
    except LookupError:  # some names of the table are none that its models answer to
        reject()
    told = BUNDLED.cost_of(model[1], model[0], tokens, at_s * 10**9)
    assert told == (float(found.input_price), float(found.output_price))
