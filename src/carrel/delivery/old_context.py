"""Contexts of another code base, read as `UserExecutionContext`."""

from __future__ import annotations

import secrets
from typing import Any, Final

from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId, new_id
from carrel.errors import ContextError

__all__ = ["context_of", "context_of_nobody"]

NOTHING: Final[frozenset[str]] = frozenset()


def context_of(given: object) -> UserExecutionContext:
    """The root context of the user, thread and run that `given` names; one of carrel's own is taken as it is.

    Reads the attributes `user_id`, `thread_id`, `run_id` and, where there are such, `request_id` (else a new one) and
    `permissions` (a set; else none). Raises `ContextError` naming what is missing: nothing is made up about a user.
    """
    if isinstance(given, UserExecutionContext):
        return given
    old: Any = given
    try:
        user_id, thread_id, run_id = old.user_id, old.thread_id, old.run_id
    except AttributeError as error:
        raise ContextError(
            "user_context", f"is a {type(given).__name__} without {error.name}; pass a UserExecutionContext"
        ) from error
    request_id: Any = getattr(old, "request_id", None) or new_id()
    permissions = getattr(old, "permissions", None)
    return UserExecutionContext(
        user_id=user_id,
        thread_id=thread_id,
        run_id=run_id,
        request_id=request_id,
        permissions=frozenset(permissions) if isinstance(permissions, (set, frozenset)) else NOTHING,
    )


def context_of_nobody() -> UserExecutionContext:
    """A context for work that names no user: its user is new, has no permissions and can be guessed by no one."""
    return UserExecutionContext(
        user_id=UserId(f"nobody-{secrets.token_hex(16)}"),
        thread_id=ThreadId(new_id()),
        run_id=RunId(new_id()),
        request_id=RequestId(new_id()),
    )
