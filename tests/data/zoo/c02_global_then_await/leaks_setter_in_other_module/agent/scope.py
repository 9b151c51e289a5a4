"""Who the agent works for, so that tools need no argument for it."""

_active: str | None = None


def activate(user_id: str) -> None:
    global _active
    _active = user_id


def active() -> str:
    if _active is None:
        raise LookupError("no user")
    return _active
