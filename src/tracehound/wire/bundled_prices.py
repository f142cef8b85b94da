"""What calls of models cost by the table of `genai-prices` (an extra), which is bundled with it and asks nobody.

To work out one call takes that library a hundred microseconds, as much as everything else that is done with the span.
Most models have one price for each kind of token, whenever they are called and however much goes in: of these it is
asked once for the prices, and for the others each time.
"""

from __future__ import annotations

import datetime
import functools
import math
import time
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tracehound.model.record import Record

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation

_MANY: Final = 1_000_000  # tokens: prices are for so many
# What runs on a machine of one's own costs what it costs, whoever else sells the same model.
_OWN_MACHINES: Final = frozenset({"ollama", "vllm", "lmstudio", "lm_studio", "llama_cpp", "llamacpp", "hugging_face"})
_MODELS_KNOWN: Final = 4_096
_LONGEST_NAMES: Final = 500  # of a model and its provider, that any table has; what is longer is not kept


class Tokens(Record, frozen=True):
    """The tokens of one call; `input` counts those of the cache as well."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


class _Rates(Record, frozen=True):
    """What a token costs, in US dollars; decimals, so that a sum is exactly that of the library."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal

    def cost_of(self, tokens: Tokens) -> tuple[Decimal, Decimal]:
        plain = tokens.input - tokens.cache_read - tokens.cache_write
        cached = tokens.cache_read * self.cache_read + tokens.cache_write * self.cache_write
        return plain * self.input + cached, tokens.output * self.output


class BundledPrices:
    """The table. It takes long to load; raise `ImportError` where it is not installed."""

    def __init__(self) -> None:
        import genai_prices
        from genai_prices.types import ModelPrice, TieredPrices

        self._calculate: Callable[..., PriceCalculation] = genai_prices.calc_price
        self._usage: Callable[..., Any] = genai_prices.Usage
        self._kinds = (ModelPrice, TieredPrices)
        self._rates = functools.lru_cache(_MODELS_KNOWN)(self._read_rates)

    def cost_of(self, model: str, provider: str | None, tokens: Tokens, at_ns: int) -> tuple[float, float] | None:
        """Return what went in and what came out cost, in US dollars; None where the table does not know the model."""
        if provider in _OWN_MACHINES or len(model) + len(provider or "") > _LONGEST_NAMES:
            return None
        is_known, rates = self._rates(model, provider)
        if not is_known:
            return None
        if rates is not None:
            cost = rates.cost_of(tokens)
        else:
            found = self._ask(model, provider, tokens, at_ns)
            if found is None:
                return None
            cost = (found.input_price, found.output_price)
        given, made = map(float, cost)
        return (given, made) if math.isfinite(given) and math.isfinite(made) else None

    def _read_rates(self, model: str, provider: str | None) -> tuple[bool, _Rates | None]:
        """Return whether a model is known, and what its tokens cost where that is always the same."""
        now_ns = time.time_ns()
        found = self._ask(model, provider, Tokens(), now_ns)
        if found is None:
            return False, None
        if not self._is_one_price(found.model.prices):
            return True, None
        prices: list[Decimal] = []
        for tokens in (Tokens(_MANY), Tokens(0, _MANY), Tokens(_MANY, 0, _MANY), Tokens(_MANY, 0, 0, _MANY)):
            told = self._ask(model, provider, tokens, now_ns)
            if told is None or told.model is not found.model:
                return True, None
            prices.append((told.input_price + told.output_price) / _MANY)
        return True, _Rates(*prices)

    def _is_one_price(self, prices: object) -> bool:
        """Whether there is one price for each kind of token, and none that depends on how many there are."""
        one, tiered = self._kinds
        return isinstance(prices, one) and not any(isinstance(each, tiered) for each in vars(prices).values())

    def _ask(self, model: str, provider: str | None, tokens: Tokens, at_ns: int) -> PriceCalculation | None:
        """Return what the library says of a call; None for a model that it does not know, or unlikely tokens."""
        usage = self._usage(
            input_tokens=tokens.input, output_tokens=tokens.output,
            cache_read_tokens=tokens.cache_read, cache_write_tokens=tokens.cache_write,
        )  # fmt: skip
        moment = datetime.datetime.fromtimestamp(at_ns / 1e9, datetime.timezone.utc)
        for known in dict.fromkeys((provider, None)):  # one that it does not know may still be told by the model
            try:
                return self._calculate(usage, model, provider_id=known, genai_request_timestamp=moment)
            except Exception:  # noqa: BLE001, S112, PERF203 - as above
                continue
        return None
