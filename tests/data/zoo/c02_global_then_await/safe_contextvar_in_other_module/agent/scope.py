"""Who the agent works for, so that tools need no argument for it."""

from contextvars import ContextVar

_active: ContextVar[str | None] = ContextVar("active", default=None)


def activate(user_id: str) -> None:
    _active.set(user_id)


def active() -> str:
    user_id = _active.get()
    if user_id is None:
        raise LookupError("no user")
    return user_id
