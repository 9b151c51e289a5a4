"""Classes as roles."""

from __future__ import annotations

import pytest

from carrel.audit.roles import likeness, plain_name, related_roles, roles
from tests.audit.checking import program


def test_what_a_class_offers() -> None:
    (role,) = roles(program("class Hub(Protocol):\n    size = 1\n    def send(self): ...\n    def _own(self): ...\n"))
    assert (role.name, role.symbol, role.location.line) == ("Hub", "app.Hub", 1)
    assert role.methods == {"send"}
    assert role.members == {"size", "send"}
    assert role.is_protocol
    assert not role.is_value


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import abc\nclass Hub(abc.ABC): ...\n", True),
        ("from typing_extensions import Protocol as P\nclass Hub(P): ...\n", True),
        ("from twisted.internet.protocol import Protocol\nclass Hub(Protocol): ...\n", False),
        ("class Hub: ...\n", False),
    ],
)
def test_what_makes_a_promise(source: str, expected: bool) -> None:
    (role,) = roles(program(source))
    assert role.is_protocol is expected


@pytest.mark.parametrize(
    "head", ["Row(BaseModel)", "Row(Enum)", "RowError(Exception)", "RowError", "Row(MyEnum)", "Row(ModelSerializer)"]
)
def test_what_is_data_does_no_work(head: str) -> None:
    (role,) = roles(program(f"class {head}:\n    pass\n"))
    assert role.is_value


def test_classes_of_tests_and_private_ones_have_no_role() -> None:
    assert not list(roles(program({"tests/a.py": "class A: pass\n", "b.py": "class _B: pass\nclass MockC: pass\n"})))


def test_likeness_is_what_two_sets_share() -> None:
    assert likeness(frozenset("ab"), frozenset("ab")) == 1
    assert likeness(frozenset("ab"), frozenset("bc")) == 1 / 3
    assert likeness(frozenset(), frozenset()) == 0


def test_names_without_their_age() -> None:
    names = {"LegacyHub": "Hub", "HubV2": "Hub", "UnifiedHub": "Hub", "OldHub": "OldHub", "Hub": "Hub"}
    assert {name: plain_name(name) for name in names} == names


def test_what_is_above_both_relates_two_roles() -> None:
    everything = program("class Base: pass\nclass A(Base): pass\nclass B(Base): pass\nclass C: pass\n")
    found = {role.name: role for role in roles(everything)}
    assert related_roles(everything, found["A"], found["B"])
    assert related_roles(everything, found["A"], found["Base"])
    assert not related_roles(everything, found["A"], found["C"])
