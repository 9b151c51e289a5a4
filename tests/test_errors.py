"""Tests of carrel.errors."""

from __future__ import annotations

import inspect
import re

import pytest

import carrel.errors
from carrel.errors import (
    AgentFailedError,
    AgentNotFoundError,
    AuthenticationError,
    CarrelError,
    ConflictError,
    ContextError,
    DirtyWorktreeError,
    EngineClosedError,
    GateFailedError,
    GrammarError,
    InputError,
    IsolationError,
    LimitExceededError,
    NotFoundError,
    RecipeError,
    RollbackError,
    RunCancelledError,
    RunTimeoutError,
    SettingsError,
    SlowConsumerError,
    StorageError,
    ThrottledError,
    ToolFailedError,
    ToolNotFoundError,
    UnrecoverablePositionError,
)

ERRORS: tuple[tuple[CarrelError, dict[str, object], str], ...] = (
    (AgentFailedError("a", "it broke"), {"agent": "a", "problem": "it broke"}, "agent 'a' failed: it broke"),
    (AgentNotFoundError("x", ("a", "b")), {"name": "x", "known": ("a", "b")}, "no agent named 'x'; there are: a, b"),
    (AgentNotFoundError("x", ()), {}, "no agent named 'x'; there are: none"),
    (AuthenticationError("the token is old"), {"reason": "the token is old"}, "the token is old; sign in again"),
    (ConflictError("busy", "a run is open"), {"code": "busy", "problem": "a run is open"}, "a run is open"),
    (ContextError("run_id", "is missing"), {"field": "run_id", "problem": "is missing"}, "run_id is missing"),
    (EngineClosedError("the engine"), {"part": "the engine"}, "the engine is closed; make a new engine"),
    (GrammarError("agent_started", "twice"), {"event_type": "agent_started", "problem": "twice"}, "agent_started: tw"),
    (InputError("input", "is empty"), {"field": "input", "problem": "is empty"}, "input: is empty"),
    (IsolationError("the emitter"), {"part": "the emitter"}, "the emitter belongs to another user"),
    (LimitExceededError("runs", 3), {"limit": "runs", "allowed": 3, "retry_after": None}, "limit runs is 3"),
    (LimitExceededError("runs", 3, 2.0), {"retry_after": 2.0}, "limit runs is 3; try again in 2 s"),
    (NotFoundError("thread"), {"what": "thread"}, "no such thread; list what is yours"),
    (RecipeError("m.toml", 3, "name", "is missing"), {"key": "name", "line": 3}, "m.toml:3: name: is missing"),
    (RecipeError("m.toml", 0, "", "cannot be read"), {"path": "m.toml"}, "m.toml: cannot be read"),
    (DirtyWorktreeError("/r", ("a.py",), "commit"), {"paths": ("a.py",)}, "/r has changes in a.py; commit"),
    (DirtyWorktreeError("/r", tuple("abcdefg"), "commit"), {}, "/r has changes in a, b, c, d, e and 2 more; commit"),
    (GateFailedError("tests", "exits with 2"), {"gate": "tests"}, "gate 'tests': exits with 2; repair it, or"),
    (RollbackError("it is merged", "revert it"), {"what": "it is merged"}, "it is merged; revert it"),
    (RunCancelledError(), {"code": "cancelled"}, "the run was cancelled"),
    (RunTimeoutError(1.5), {"seconds": 1.5, "code": "timed_out"}, "the run took longer than 1.5 s"),
    (SettingsError("CARREL_PORT", "is in use"), {"setting": "CARREL_PORT"}, "CARREL_PORT: is in use"),
    (SlowConsumerError(5, 9), {"events": 5, "size": 9}, "5 events (9 bytes) are waiting; connect again"),
    (StorageError("the disk is full"), {}, "the disk is full"),
    (ThrottledError(30.0), {"retry_after": 30.0}, "too many failed attempts, wait 30 s"),
    (ToolFailedError("t", "timed_out", "too slow"), {"tool": "t", "code": "timed_out"}, "tool 't': too slow"),
    (ToolNotFoundError("x", ("t",)), {"name": "x", "known": ("t",)}, "no tool named 'x'; there are: t"),
    (UnrecoverablePositionError(1, 5, 9), {"after": 1, "oldest": 5, "top": 9}, "nothing can be read after offset 1"),
)


@pytest.mark.parametrize(("error", "data", "message"), ERRORS, ids=lambda value: type(value).__name__)
def test_an_error_carries_its_data_and_derives_its_message(error: CarrelError, data: dict[str, object], message: str):
    assert str(error).startswith(message)
    assert {name: getattr(error, name) for name in data} == data


def classes() -> list[type[CarrelError]]:
    return [one for _, one in inspect.getmembers(carrel.errors, inspect.isclass) if issubclass(one, CarrelError)]


def test_every_error_is_public_and_in_the_tree_of_the_docstring():
    names = {one.__name__ for one in classes()}
    assert names == set(carrel.errors.__all__)
    drawn = re.findall(r"^ {4}([│ ├└─]*)(\w+)", carrel.errors.__doc__ or "", flags=re.MULTILINE)
    assert {name for _, name in drawn} == names


def test_the_tree_of_the_docstring_is_the_tree_of_the_classes():
    drawn = re.findall(r"^ {4}([│ ├└─]*)(\w+)", carrel.errors.__doc__ or "", flags=re.MULTILINE)
    above: dict[int, str] = {}
    for branches, name in drawn:
        depth = len(branches) // 4
        above[depth] = name
        if depth:
            assert getattr(carrel.errors, name).__base__.__name__ == above[depth - 1]


def test_isolation_errors_never_name_a_user():
    assert "ann" not in str(IsolationError("the store"))
