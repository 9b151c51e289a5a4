"""Answers one user."""

from shop.engine import Engine  # the engine of everybody


def answer(registry, bridge, user):
    engine = Engine(registry, bridge, user)
    return engine.run("greeter")


def is_engine(thing: "Engine") -> bool:
    return isinstance(thing, Engine)
