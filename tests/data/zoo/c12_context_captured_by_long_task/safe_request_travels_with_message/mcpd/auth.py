from contextvars import ContextVar

access_token: ContextVar[str | None] = ContextVar("access_token", default=None)


def get_access_token() -> str | None:
    return access_token.get()
