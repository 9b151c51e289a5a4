from contextvars import ContextVar

from acme.auth import User

current: ContextVar[User] = ContextVar("current")
