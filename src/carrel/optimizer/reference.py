"""What every analysis needs and what is the same for everybody: loaded once, read only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from carrel.optimizer.classes import ModelClasses
from carrel.optimizer.prices import price_thresholds

__all__ = ["ReferenceData"]


@dataclass(frozen=True, slots=True)
class ReferenceData:
    """Price thresholds and model classes."""

    thresholds: tuple[int, ...]
    """Input tokens of one request above which some price changes."""
    classes: ModelClasses

    @classmethod
    def load(cls) -> Self:
        """Read both. Blocks: about a second when the price data is not loaded yet."""
        return cls(price_thresholds(), ModelClasses.shipped())
