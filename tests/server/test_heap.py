"""The collector leaves alone what was there, and finds what comes later."""

from __future__ import annotations

import gc
import weakref

from carrel.server.heap import settled_heap


class Knot:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.self = self


def test_what_was_there_is_spared_and_what_comes_later_is_collected() -> None:
    before = gc.get_threshold()
    with settled_heap():
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] > before[0]
        later = weakref.ref(Knot())
        gc.collect()
        assert later() is None
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
