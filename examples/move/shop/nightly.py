"""Runs at night, for nobody in particular."""

from shop import (
    Engine,
)


def report(registry):
    return Engine(registry, None).run("reporter")
