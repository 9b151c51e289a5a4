"""A small shop on the move, for `carrel migrate`: everybody's engine gives way to an engine for each user."""

from shop.engine import Engine

__all__ = ["Engine"]
