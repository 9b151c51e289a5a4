"""Contexts of another code base, read as `UserExecutionContext`."""

from __future__ import annotations

import secrets

from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId, new_id
from carrel.errors import ContextError

__all__ = ["context_of", "context_of_nobody"]


def context_of(given: object) -> UserExecutionContext:
    """The root context of the user, thread and run that `given` names; one of carrel's own is taken as it is.

    Reads the attributes `user_id`, `thread_id`, `run_id` and, where there are such, `request_id` (else a new one) and
    `permissions` (a set; else none). Raises `ContextError` naming what is missing: nothing is made up about a user.
    """
    if isinstance(given, UserExecutionContext):
        return given
    try:
        user_id, thread_id, run_id = given.user_id, given.thread_id, given.run_id  # type: ignore[attr-defined]
    except AttributeError as error:
        raise ContextError(
            "user_context", f"is a {type(given).__name__} without {error.name}; pass a UserExecutionContext"
        ) from error
    permissions = getattr(given, "permissions", None)
    return UserExecutionContext(
        user_id=UserId(user_id),
        thread_id=ThreadId(thread_id),
        run_id=RunId(run_id),
        request_id=RequestId(getattr(given, "request_id", None) or new_id()),
        permissions=frozenset(permissions) if isinstance(permissions, set | frozenset) else frozenset(),
    )


def context_of_nobody() -> UserExecutionContext:
    """A context for work that names no user: its user is new, has no permissions and can be guessed by no one."""
    return UserExecutionContext(
        user_id=UserId(f"nobody-{secrets.token_hex(16)}"),
        thread_id=ThreadId(new_id()),
        run_id=RunId(new_id()),
        request_id=RequestId(new_id()),
    )
