from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from carrel.errors import IsolationError
from carrel.runtime.agent import AgentResult, Usage
from carrel.runtime.old_request import AgentExecutionResult, read_request


def given(**fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**fields)


USER = given(user_id="ada", agent_context={"user_request": "from the user"})


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (("a", "text"), ("a", "text", None)),
        (("a",), ("a", "", None)),
        (("a", USER), ("a", "from the user", USER)),
        (("a", "text", USER), ("a", "text", USER)),
        (("a", given(user_request="from the state")), ("a", "from the state", None)),
        ((given(agent_name="a", metadata={"message": "m"}), USER), ("a", "m", USER)),
        ((given(agent_name="a", metadata={"user_request": "u"}), None), ("a", "u", None)),
        (
            (given(agent_name="a", user_id="ada"), given(user_request="s")),
            ("a", "s", given(agent_name="a", user_id="ada")),
        ),
        ((given(agent_name="a", metadata=None),), ("a", "", None)),
    ],
)
def test_unambiguous_calls_are_understood(call: tuple[Any, ...], expected: tuple[Any, ...]):
    assert tuple(read_request(*call)) == expected


@pytest.mark.parametrize("call", [(None,), (7,), (given(metadata={}), "x"), ("a", "b", "c"), ("a", 7), ("a", given())])
def test_other_calls_raise_and_name_the_new_one(call: tuple[Any, ...]):
    with pytest.raises(TypeError, match=r"call execute_agent\(agent, input\) with two strings"):
        read_request(*call)


def test_two_users_in_one_call_are_refused():
    with pytest.raises(IsolationError):
        read_request(given(agent_name="a", user_id="ada"), given(user_id="bob"))


def test_a_result_can_be_read_both_ways():
    usage = Usage(input_tokens=1)
    new = AgentResult(status="failed", error_code="c", error_message="m", usage=usage, duration_ms=1500)
    old = AgentExecutionResult.of(new, "a", {"raw": 1})
    assert (old.success, old.error, old.duration, old.agent_name, old.data) == (False, "m", 1.5, "a", {"raw": 1})
    assert (old.status, old.error_code, old.error_message, old.usage, old.output) == ("failed", "c", "m", usage, "")
