"""Protocols that are written down more than once."""

from __future__ import annotations

import pytest

from carrel.audit.rules.duplicated_protocol import DuplicatedProtocol
from tests.audit.checking import finds, quiet

RULE = DuplicatedProtocol()


def protocol(name: str = "Sink", base: str = "Protocol", methods: str = "send close flush") -> str:
    return f"class {name}({base}):\n" + "".join(f"    def {one}(self): ...\n" for one in methods.split())


@pytest.mark.parametrize(
    "other",
    [protocol(), protocol("Outlet"), protocol(base="ABC"), protocol(methods="send close flush wait")],
)
def test_the_same_promise_twice(other: str) -> None:
    (found,) = finds(RULE, {"a.py": protocol(), "b.py": other}, "warning")
    assert [place.path for place in found.related] == ["b.py"]


@pytest.mark.parametrize(
    "other",
    [
        protocol(methods="read open"),
        protocol("Single", methods="send"),
        protocol("SinkImplementation", base="object"),
        protocol("AsyncSink"),
        "from a import Sink\n",
        "from a import Sink\n" + protocol("Wide", base="Sink, Protocol"),
    ],
)
def test_promises_that_are_their_own(other: str) -> None:
    quiet(RULE, {"a.py": protocol(), "b.py": other})


def test_three_copies_are_one_finding() -> None:
    (found,) = finds(RULE, {"a.py": protocol(), "b.py": protocol(), "c.py": protocol()}, "warning")
    assert len(found.related) == 2
