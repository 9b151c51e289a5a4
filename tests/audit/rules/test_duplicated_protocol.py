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
    [protocol(), protocol("SinkProtocol"), protocol(base="ABC"), protocol(methods="send close flush wait")],
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


def test_another_name_for_the_same_few_methods_is_only_mentioned() -> None:
    finds(RULE, {"a.py": protocol(), "b.py": protocol("Outlet")}, "info")
    many = "send close flush wait"
    finds(RULE, {"a.py": protocol(methods=many), "b.py": protocol("Outlet", methods=many)}, "warning")


def test_a_promise_for_coroutines_is_another_one() -> None:
    quiet(RULE, {"a.py": protocol(), "b.py": protocol("SinkProtocol").replace("def ", "async def ")})


def test_methods_that_are_told_something_else_are_another_promise() -> None:
    finds(RULE, {"a.py": protocol(), "b.py": protocol().replace("send(self)", "send(self, user)")}, "info")
    many = protocol(methods="send close flush wait").replace("(self)", "(self, name, vault)")
    finds(RULE, {"a.py": many, "b.py": many.replace("Sink", "Outlet").replace("name, vault", "vault, name")}, "info")
    finds(RULE, {"a.py": many, "b.py": many + "    def reset(self): ...\n"}, "warning")


def test_two_in_one_file_and_one_for_each_plug_in_are_only_mentioned() -> None:
    finds(RULE, protocol() + protocol("SinkABC", base="ABC"), "info")
    finds(RULE, {"plugins/a/sink.py": protocol(), "plugins/b/sink.py": protocol()}, "info")


def test_a_base_of_that_name_from_elsewhere_promises_nothing() -> None:
    twisted = "from twisted.internet import protocol\n" + protocol(base="protocol.Protocol")
    quiet(RULE, {"a.py": twisted, "b.py": twisted})
    ours = "import typing\n" + protocol(base="typing.Protocol")
    finds(RULE, {"a.py": ours, "b.py": ours}, "warning")


def test_three_copies_are_one_finding() -> None:
    (found,) = finds(RULE, {"a.py": protocol(), "b.py": protocol(), "c.py": protocol()}, "warning")
    assert len(found.related) == 2
