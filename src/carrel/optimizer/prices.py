"""What tokens cost at list price, from the offline data of the `genai-prices` package."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    PriceCalculation,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from carrel.storage.usage_figures import DAY, HALF_HOUR, first_moment

__all__ = ["PriceBook", "Rates", "price_thresholds"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOKENS: Final = Decimal(1_000_000)
_BATCH: Final = MappingProxyType({"processing": "batch"})


def price_thresholds() -> tuple[int, ...]:
    """Input tokens of one request above which some model's price changes, ascending; takes a fraction of a second."""
    prices = [price for provider in get_snapshot().providers for model in provider.models for price in _all(model)]
    tiered = [value for price in prices for value in vars(price).values() if isinstance(value, TieredPrices)]
    return tuple(sorted({tier.start for value in tiered for tier in value.tiers}))


class Rates(NamedTuple):
    """List prices in USD: of one token, and of one request."""

    input: Decimal
    """An input token that is not read from a cache."""
    cached: Decimal
    """An input token that is read from the provider's cache."""
    write: Decimal
    """What storing one token in the cache costs above `input`; 0 where providers do not charge for it."""
    output: Decimal
    request: Decimal
    """Charged once per request, whatever its size."""

    def cost(self, *, uncached: int, cached: int, output: int, requests: int) -> Decimal:
        """USD for so many tokens in so many requests; exact."""
        return self.input * uncached + self.cached * cached + self.output * output + self.request * requests


class PriceBook:
    """Looks up list prices, and remembers what it found; make one for each question.

    A model that `genai-prices` does not know has no price: nothing is guessed from a similar name.
    """

    def __init__(self, thresholds: tuple[int, ...] = ()) -> None:
        self._rates: dict[tuple[str, str, int, int, bool], Rates | None] = {}
        self._found: dict[tuple[str, str], PriceCalculation | None] = {}
        self.thresholds: Final = thresholds
        """Input tokens of one request above which a price may change, ascending; `price_thresholds()` for all."""

    def provider_of(self, model: str) -> str | None:
        """The provider that a model's name belongs to, or None when that is not clear."""
        found = self._find("", model)
        return found.provider.id if found is not None else None

    def model_id(self, provider: str, model: str) -> str | None:
        """The name that the price data has for this model, without date or alias; None for an unknown model."""
        found = self._find(provider, model)
        return found.model.id if found is not None else None

    def context_window(self, provider: str, model: str) -> int | None:
        """How many input tokens the model takes; None when the price data does not say."""
        found = self._find(provider, model)
        return found.model.context_window if found is not None else None

    def is_retired(self, provider: str, model: str) -> bool:
        """Whether the provider has announced the model's end."""
        found = self._find(provider, model)
        return found is not None and bool(found.model.deprecated)

    def has_batch_price(self, provider: str, model: str) -> bool:
        """Whether a lower price for batch processing is published."""
        found = self._find(provider, model)
        variants = (found.model.price_variants or ()) if found is not None else ()
        return any(variant.when == _BATCH for variant in variants)

    def slot(self, provider: str, model: str) -> int:
        """How finely time matters to the model's price: `DAY`, or `HALF_HOUR` where it changes during the day."""
        found = self._find(provider, model)
        if found is None or isinstance(found.model.prices, ModelPrice):
            return DAY
        changing = any(isinstance(price.constraint, TimeOfDateConstraint) for price in found.model.prices)
        return HALF_HOUR if changing else DAY

    def rates(self, provider: str, model: str, *, at: int, band: int, batch: bool = False) -> Rates | None:
        """List prices at `at` (microseconds since 1970 UTC) for requests in a band of `thresholds`; None if unknown.

        Batch prices are in the data since October 2026, and have been charged since 2024: before the first listed one,
        its discount is taken off the list price of the time.
        """
        key = (provider, model, at, band, batch)
        if key not in self._rates:
            since = self._batch_since(provider, model) if batch else None
            if since is not None and at < since:
                self._rates[key] = self._early_batch(provider, model, at, since, band)
            else:
                self._rates[key] = self._look_up(provider, model, at, band, batch=batch)
        return self._rates[key]

    def _batch_since(self, provider: str, model: str) -> int | None:
        """Since when the batch price is in the data; None when there is none, or it has always been there."""
        found = self._find(provider, model)
        variants = (found.model.price_variants or ()) if found is not None else ()
        starts = [one.constraint for one in variants if one.when == _BATCH]
        if not starts or not all(isinstance(start, StartDateConstraint) for start in starts):
            return None
        return min(first_moment(start.start_date) for start in starts if isinstance(start, StartDateConstraint))

    def _early_batch(self, provider: str, model: str, at: int, since: int, band: int) -> Rates | None:
        """The list price less the discount of batches when their price was first listed: they are older than that."""
        then = self._look_up(provider, model, at, band, batch=False)
        listed = self._look_up(provider, model, since, band, batch=False)
        batched = self._look_up(provider, model, since, band, batch=True)
        if then is None or listed is None or batched is None:
            return then
        return Rates(
            *(rate * low / high if high else rate for rate, low, high in zip(then, batched, listed, strict=True))
        )

    def _look_up(self, provider: str, model: str, at: int, band: int, *, batch: bool) -> Rates | None:
        found = _calculation(provider, model, _EPOCH + timedelta(microseconds=at), batch=batch)
        if found is None:
            return None
        price = found.model_price
        known = {key for key, value in vars(price).items() if value is not None}
        if known and not known & {"input_mtok", "output_mtok"}:
            return None  # charged by the hour, page or image: tokens say nothing about its cost
        size = self.thresholds[band - 1] + 1 if band else 0

        def each(name: str, per: Decimal = _TOKENS) -> Decimal | None:
            value = getattr(price, name)
            if isinstance(value, TieredPrices):
                value = next((tier.price for tier in reversed(value.tiers) if size > tier.start), value.base)
            return value / per if value is not None else None

        plain = each("input_mtok") or Decimal(0)
        cached, written = each("cache_read_mtok"), each("cache_write_mtok")
        return Rates(
            input=plain,
            cached=plain if cached is None else cached,
            write=max(Decimal(0), written - plain) if written is not None else Decimal(0),
            output=each("output_mtok") or Decimal(0),
            request=each("requests_kcount", Decimal(1000)) or Decimal(0),
        )

    def _find(self, provider: str, model: str) -> PriceCalculation | None:
        key = (provider, model)
        if key not in self._found:
            self._found[key] = _calculation(provider, model, _EPOCH, batch=False)
        return self._found[key]


def _calculation(provider: str, model: str, at: datetime, *, batch: bool) -> PriceCalculation | None:
    try:
        return calc_price(
            Usage(input_tokens=0, output_tokens=0),
            model,
            provider_id=provider or None,
            genai_request_timestamp=at,
            price_context=_BATCH if batch else None,
        )
    except LookupError:
        return None


def _all(model: ModelInfo) -> list[ModelPrice]:
    return [model.prices] if isinstance(model.prices, ModelPrice) else [price.prices for price in model.prices]
