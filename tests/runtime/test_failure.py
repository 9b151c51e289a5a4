from __future__ import annotations

import pytest

from carrel.errors import (
    AgentFailedError,
    ConflictError,
    InputError,
    IsolationError,
    LimitExceededError,
    NotFoundError,
    SettingsError,
    StorageError,
    ToolFailedError,
)
from carrel.runtime.failure import ErrorNotice, agent_failure, notice_text, traceback_text


@pytest.mark.parametrize(
    "error",
    [ValueError("secret"), StorageError("/secret/path"), SettingsError("key", "secret"), KeyError("secret")],
    ids=repr,
)
def test_a_text_that_carrel_did_not_write_for_users_is_not_shown(error: Exception):
    assert "secret" not in notice_text(error)
    assert type(error).__name__ in notice_text(error)
    assert "secret" not in agent_failure("a", error).message


@pytest.mark.parametrize(
    "error", [InputError("model", "is unknown"), NotFoundError("thread"), IsolationError("the store")], ids=repr
)
def test_carrels_own_text_is_shown(error: Exception):
    assert notice_text(error) == str(error)
    assert agent_failure("a", error) == ErrorNotice("agent_failed", f"agent 'a' failed: {error}")


@pytest.mark.parametrize(
    "error",
    [
        ToolFailedError("t", "permission_denied", "no"),
        LimitExceededError("x", 1),
        ConflictError("busy", "wait"),
        AgentFailedError("a", "because"),
    ],
    ids=repr,
)
def test_an_error_with_a_code_keeps_it(error: ConflictError):
    assert agent_failure("a", error) == ErrorNotice(error.code, str(error))


def test_a_task_group_hides_nothing():
    inner = ExceptionGroup("inner", [KeyError("x"), ToolFailedError("t", "timed_out", "slow")])
    assert agent_failure("a", ExceptionGroup("outer", [ValueError("y"), inner])).code == "timed_out"
    assert "ValueError" in agent_failure("a", ExceptionGroup("outer", [ValueError("y")])).message


def test_a_notice_is_the_protocols_error_object():
    assert ErrorNotice("c", "m").as_data() == {"code": "c", "message": "m"}


def test_a_trace_names_every_error_and_where_it_was_raised():
    def fails() -> None:
        raise KeyError("inner")

    def wraps() -> None:
        try:
            fails()
        except KeyError as error:
            raise ValueError("outer") from error

    with pytest.raises(ValueError, match="outer") as caught:
        wraps()
    lines = traceback_text(caught.value).splitlines()
    assert lines[0] == "ValueError: outer"
    assert "KeyError: 'inner'" in lines
    assert any("fails" in line and __file__ in line for line in lines)


def test_a_trace_keeps_quiet_about_what_was_suppressed_and_is_not_endless():
    def hides() -> None:
        try:
            raise KeyError("inner")
        except KeyError:
            raise ValueError("outer") from None

    with pytest.raises(ValueError, match="outer") as caught:
        hides()
    assert "inner" not in traceback_text(caught.value)

    def deep(levels: int) -> None:
        if not levels:
            raise ValueError("deep")
        deep(levels - 1)

    with pytest.raises(ValueError, match="deep") as caught:
        deep(300)
    assert len(traceback_text(caught.value).splitlines()) == 100


def test_an_error_whose_text_cannot_be_read_is_named():
    class UnreadableError(InputError):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    error = UnreadableError("model", "is unknown")
    assert traceback_text(error).splitlines()[0].endswith("UnreadableError: (its text cannot be read)")
    assert "UnreadableError; the server's log says more" in notice_text(error)
    assert "UnreadableError" in agent_failure("a", error).message
