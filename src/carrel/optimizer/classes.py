"""The table of model classes: which models do the same kind of work."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["ModelClass", "ModelClasses"]


class ModelClass(NamedTuple):
    """One line of one vendor."""

    name: str
    models: tuple[str, ...]
    """Oldest first."""


class ModelClasses:
    """The table in `model_classes.toml`, or another one of the same form."""

    def __init__(self, classes: tuple[ModelClass, ...]) -> None:
        self.classes: Final = classes
        places: Mapping[str, ModelClass] = {model: line for line in classes for model in line.models}
        self._places: Final = MappingProxyType(places)

    @classmethod
    def shipped(cls) -> ModelClasses:
        """The table that comes with carrel."""
        text = files("carrel.optimizer").joinpath("model_classes.toml").read_text(encoding="utf-8")
        return cls(tuple(ModelClass(one["name"], tuple(one["models"])) for one in tomllib.loads(text)["class"]))

    def class_of(self, model_id: str) -> ModelClass | None:
        """The class of a model by its name in the price data, or None."""
        return self._places.get(model_id)

    def successors(self, model_id: str) -> tuple[str, ...]:
        """Later models of the same class, oldest first; none for a model without a class."""
        line = self.class_of(model_id)
        return line.models[line.models.index(model_id) + 1 :] if line is not None else ()
