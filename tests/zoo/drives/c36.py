"""Alice's object is gone, and Bob's comes to lie at the same address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.zoo.stage import Stage

__all__ = ["memo", "registry"]


def registry(stage: Stage) -> tuple[str, str]:
    sample = stage.module
    sample.MAIL.update(alice=stage.alice.canary)

    def visit() -> tuple[int, str]:
        session = sample.ServerSession()
        sample.register(session, "alice")
        return id(session), sample.read_mail(session)

    made: list[Any] = []
    address, first = visit()
    return first, sample.read_mail(_at(address, sample.ServerSession, made))


def memo(stage: Stage) -> tuple[str, str]:
    def visit() -> tuple[int, str]:
        messages = ["hello", stage.alice.canary]
        return id(messages), stage.module.show(messages)

    made: list[Any] = []
    address, first = visit()
    return first, stage.module.show(_at(address, lambda: ["hello", stage.bob.canary], made))


def _at(address: int, make: Callable[[], Any], made: list[Any]) -> Any:
    """An object at that address, or another one if the address is still taken.

    `made` keeps the others alive, and is from before the address was free, so that it does not take it itself.
    """
    for _ in range(1000):
        made.append(make())
        if id(made[-1]) == address:
            break
    return made[-1]
