"""Tests of carrel.context."""

from __future__ import annotations

import asyncio
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from carrel.context import (
    RequestId,
    RunId,
    ThreadId,
    UserContext,
    UserExecutionContext,
    UserId,
    ambient_context,
    check_ambient,
    new_id,
)
from carrel.errors import ContextError, IsolationError

IDS: dict[str, Any] = {"user_id": "ann", "thread_id": "t-1", "run_id": "r-1", "request_id": "q-1"}


def context(**changes: Any) -> UserExecutionContext:
    return UserExecutionContext(**{**IDS, **changes})


def test_the_documents_own_context_can_be_made():
    made = UserExecutionContext(
        user_id=UserId("test_user"),
        thread_id=ThreadId("test_thread"),
        run_id=RunId("test_run"),
        request_id=RequestId("test_request"),
    )
    assert made.is_root
    assert made.depth == 0


@pytest.mark.parametrize("field", IDS)
def test_a_missing_id_is_named(field: str):
    ids = {name: value for name, value in IDS.items() if name != field}
    with pytest.raises(ContextError) as caught:
        UserExecutionContext(**ids)
    assert caught.value.field == field


@pytest.mark.parametrize("field", [*IDS, "parent_request_id"])
@pytest.mark.parametrize("value", ["", "  ", "\t", 7, b"ann", "x" * 129, "a\nb", "a\0"])
def test_an_unusable_id_is_named(field: str, value: object):
    with pytest.raises(ContextError) as caught:
        context(**{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("parent_request_id", "q-1"),
        ("depth", -1),
        ("depth", True),
        ("depth", 9),
        ("lineage", ["a"]),
        ("permissions", {"a"}),
    ],
)
def test_what_else_cannot_be_is_named(field: str, value: object):
    with pytest.raises(ContextError) as caught:
        context(**{field: value})
    assert caught.value.field == field


def test_a_context_cannot_be_changed():
    made = context()
    with pytest.raises(FrozenInstanceError):
        made.user_id = UserId("bob")  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        made.anything = 1  # type: ignore[attr-defined]


def test_a_context_has_no_dict():
    assert not hasattr(context(), "__dict__")


def test_a_child_is_one_request_further_down_in_the_same_run():
    parent = context(permissions=frozenset({"usage:read"}), deadline=5.0)
    child = parent.child(parent_agent="supervisor", agent="data")
    assert child.parent_request_id == parent.request_id != child.request_id
    assert (child.user_id, child.thread_id, child.run_id) == (parent.user_id, parent.thread_id, parent.run_id)
    assert (child.depth, child.lineage) == (1, ("supervisor",))
    assert (child.permissions, child.deadline) == (parent.permissions, parent.deadline)
    assert not child.is_root


def test_a_cycle_of_agents_is_refused():
    child = context().child(parent_agent="a", agent="b")
    with pytest.raises(ContextError, match="a > b > a"):
        child.child(parent_agent="b", agent="a")


def test_nesting_ends_at_the_limit():
    deepest = context(depth_limit=1).child(parent_agent="a", agent="b")
    with pytest.raises(ContextError, match="1 deep"):
        deepest.child(parent_agent="b", agent="c")


@pytest.mark.parametrize("field", IDS)
@pytest.mark.parametrize("value", ["test_user", "None", " null ", "PLACEHOLDER", "default_user"])
def test_placeholders_are_refused_where_it_matters(field: str, value: str):
    made = context(**{field: value})
    with pytest.raises(ContextError) as caught:
        made.refuse_placeholders()
    assert caught.value.field == field


def test_real_ids_are_no_placeholders():
    context().refuse_placeholders()


def test_correlation_names_every_id():
    assert context().correlation() == IDS
    assert context(parent_request_id="q-0").correlation() == {**IDS, "parent_request_id": "q-0"}
    assert UserContext(user_id=UserId("ann"), request_id=RequestId("q-1")).correlation() == {
        "user_id": "ann",
        "request_id": "q-1",
    }


@pytest.mark.parametrize(
    ("held", "asked", "may"),
    [
        (frozenset(), None, True),
        (frozenset(), "usage:read", False),
        (frozenset({"usage:read"}), "usage:read", True),
        (frozenset({"usage:read"}), "usage:write", False),
        (frozenset({"*"}), "anything", True),
    ],
)
def test_permissions(held: frozenset[str], asked: str | None, may: bool):
    assert context(permissions=held).may(asked) is may


def test_new_ids_are_distinct_and_ordered_by_time():
    made = [new_id() for _ in range(1_000)]
    assert len(set(made)) == 1_000
    moments = [one[:13] for one in made]
    assert moments == sorted(moments)


def test_outside_of_any_users_work_every_context_is_accepted():
    check_ambient(context(), "the store")


def test_inside_one_users_work_anothers_context_is_refused():
    with ambient_context(context()):
        check_ambient(context(run_id="r-2"), "the store")
        with pytest.raises(IsolationError, match="the store"):
            check_ambient(context(user_id="bob"), "the store")
    check_ambient(context(user_id="bob"), "the store")


async def test_tasks_inherit_whom_they_work_for():
    async def touch() -> None:
        check_ambient(context(user_id="bob"), "the store")

    with ambient_context(context()):
        task = asyncio.create_task(touch())
    with pytest.raises(IsolationError):
        await task
