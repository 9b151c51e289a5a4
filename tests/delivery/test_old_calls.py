from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import pytest

from carrel.delivery.old_calls import call_in_order, call_known, parameters_of, settled

KNOWN = {"run_id": "r", "agent_name": "a", "reasoning": "hm"}


class Recorder:
    def plain(self, run_id, agent_name="x", extra=None):
        return run_id, agent_name, extra

    def swapped(self, agent_name, run_id):
        return agent_name, run_id

    def other_names(self, run_id, agent, thought):
        return run_id, agent, thought

    def named_only(self, *, run_id, extra=1):
        return run_id, extra

    def positional_only(self, run_id, agent, /, thought):
        return run_id, agent, thought

    def everything(self, **given):
        return given

    def the_rest(self, run_id, agent, **given):
        return run_id, agent, given

    def in_order(self, *given):
        return given

    def greedy(self, run_id, sandwich):
        raise AssertionError


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("plain", ("r", "a", None)),
        ("swapped", ("a", "r")),
        ("other_names", ("r", "a", "hm")),
        ("named_only", ("r", 1)),
        ("positional_only", ("r", "a", "hm")),
        ("everything", KNOWN),
        ("the_rest", ("r", "a", {"reasoning": "hm"})),
        ("in_order", ("r", "a", "hm")),
    ],
)
def test_a_function_gets_the_values_that_it_names(method: str, expected: Any):
    assert call_known(getattr(Recorder(), method), KNOWN, "it") == expected


def test_a_requirement_that_is_not_known_is_named():
    with pytest.raises(TypeError, match="Recorder.greedy requires sandwich, .* it gives run_id, agent_name, reasoning"):
        call_known(Recorder().greedy, KNOWN, "Recorder.greedy")


def test_decorated_partial_and_plain_functions_are_understood():
    def plain(run_id: str, thought: str) -> tuple[str, str]:
        return run_id, thought

    @functools.wraps(plain)
    def decorated(*args, **kwargs):
        return plain(*args, **kwargs)

    for function in (plain, decorated, functools.partial(plain)):
        assert call_known(function, KNOWN, "it") == ("r", "hm")


def test_the_quick_look_sees_what_the_signature_says():
    def function(a, b, c=1, *, d, e=2):
        raise AssertionError

    def simple(a, b, c=1):
        raise AssertionError

    assert parameters_of(function)[1:] == (("a", "b", "c", "d", "e"), ("a", "b", "d"), 3, False)
    assert parameters_of(simple)[1:] == (("a", "b", "c"), ("a", "b"), 3, False)
    assert parameters_of(Recorder().plain)[1:] == (("run_id", "agent_name", "extra"), ("run_id",), 3, False)


def test_a_factory_gets_as_many_values_as_it_takes():
    assert call_in_order(lambda: (), 1, 2) == ()
    assert call_in_order(lambda one: one, 1, 2) == 1
    assert call_in_order(lambda one, two=None: (one, two), 1, 2) == (1, 2)
    assert call_in_order(lambda *all_of_them: all_of_them, 1, 2) == (1, 2)


async def test_what_must_be_awaited_is():
    async def later() -> int:
        return 1

    assert [await settled(later()), await settled(2), await settled(SimpleNamespace(n=3).n)] == [1, 2, 3]
