"""The table of classes names models that the price data knows."""

from __future__ import annotations

from carrel.optimizer.classes import ModelClass, ModelClasses
from carrel.optimizer.prices import PriceBook


def test_successors_are_the_later_models_of_the_class() -> None:
    classes = ModelClasses((ModelClass("A", ("old", "new", "newest")), ModelClass("B", ("other",))))
    assert classes.successors("old") == ("new", "newest")
    assert classes.successors("newest") == classes.successors("unknown") == ()
    line = classes.class_of("other")
    assert line is not None
    assert line.name == "B"


def test_every_model_of_the_shipped_table_has_a_price_and_one_class() -> None:
    prices = PriceBook()
    names = [model for line in ModelClasses.shipped().classes for model in line.models]
    assert len(names) == len(set(names))
    for name in names:
        provider = prices.provider_of(name)
        assert provider is not None, name
        assert prices.model_id(provider, name) == name
