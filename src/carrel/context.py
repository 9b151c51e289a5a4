"""Who a piece of work is for: the contexts that every other part is bound to."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, NewType, Self

from uuid_utils import uuid7

from carrel.errors import ContextError, IsolationError

__all__ = [
    "RequestId",
    "RunId",
    "ThreadId",
    "UserContext",
    "UserExecutionContext",
    "UserId",
    "ambient_context",
    "check_ambient",
    "new_id",
]

UserId = NewType("UserId", str)
ThreadId = NewType("ThreadId", str)
RunId = NewType("RunId", str)
RequestId = NewType("RequestId", str)

MAX_ID_LENGTH: Final = 128
DEFAULT_DEPTH_LIMIT: Final = 8

# What client code and documentation leave behind when an id was never filled in.
PLACEHOLDER_IDS: Final = frozenset(
    {
        *("-1", "0", "00000000-0000-0000-0000-000000000000"),
        *("anonymous", "default", "dummy", "example", "foo", "guest", "id", "nil", "none", "null", "placeholder"),
        *("sample", "string", "system", "temp", "test", "todo", "undefined", "unknown", "user", "xxx"),
        *("default_user", "default_thread", "default_run", "test_user", "test_thread", "test_run", "test_request"),
        *("your_user_id", "user_id", "thread_id", "run_id", "request_id"),
    }
)


def new_id() -> str:
    """A new UUIDv7 (RFC 9562): unique, and ordered by the time it was made."""
    return str(uuid7())


def _check_id(field: str, value: object) -> None:
    if not isinstance(value, str):
        raise ContextError(field, f"must be a string, not {type(value).__name__}")
    if not value or value.isspace():
        raise ContextError(field, "is missing or blank; every context names its user, thread, run and request")
    if len(value) > MAX_ID_LENGTH:
        raise ContextError(field, f"is longer than {MAX_ID_LENGTH} characters")
    if not value.isprintable():
        raise ContextError(field, "contains a control character")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserContext:
    """A verified user and one request of theirs, outside any run: what stores and logs are asked with.

    Raises `ContextError` naming the field when an id is missing, blank, too long or not printable.
    """

    user_id: UserId = UserId("")
    """Whose data this is about. Comes from a verified token and nowhere else."""
    request_id: RequestId = RequestId("")
    """This request, for logs and traces."""
    permissions: frozenset[str] = frozenset()
    """What the user may do, for example `usage:read`; `*` is everything."""

    def __post_init__(self) -> None:
        _check_id("user_id", self.user_id)
        _check_id("request_id", self.request_id)
        if type(self.permissions) is not frozenset:
            raise ContextError("permissions", "must be a frozenset, so that nobody can add to it later")

    def may(self, permission: str | None) -> bool:
        """Whether the user holds `permission`; None asks for nothing and is always true."""
        return permission is None or permission in self.permissions or "*" in self.permissions

    def correlation(self) -> dict[str, str]:
        """The ids that logs and traces carry, as a fresh dict of strings."""
        return {"user_id": self.user_id, "request_id": self.request_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserExecutionContext(UserContext):
    """One request of one user inside one run; deeply immutable, and bound to its engine for life.

    Raises `ContextError` naming the field when an id is missing, blank, too long or not printable.
    """

    thread_id: ThreadId = ThreadId("")
    """The conversation that the run belongs to."""
    run_id: RunId = RunId("")
    """The run: everything that follows from one input of the user."""
    parent_request_id: RequestId | None = None
    """The request that started this one; None for the root of a run."""
    depth: int = 0
    """How many requests are above this one."""
    depth_limit: int = DEFAULT_DEPTH_LIMIT
    """The greatest depth a child may have."""
    lineage: tuple[str, ...] = ()
    """Names of the agents above this request, outermost first."""
    deadline: float | None = None
    """When the run must be over, on the clock of `time.monotonic`; None for no limit."""

    def __post_init__(self) -> None:
        # Not super(): dataclass slots make a new class, which zero-argument super() does not see.
        UserContext.__post_init__(self)
        _check_id("thread_id", self.thread_id)
        _check_id("run_id", self.run_id)
        if self.parent_request_id is not None:
            _check_id("parent_request_id", self.parent_request_id)
            if self.parent_request_id == self.request_id:
                raise ContextError("parent_request_id", "is the request itself")
        if type(self.depth) is not int or self.depth < 0:
            raise ContextError("depth", "must be a whole number, 0 or more")
        if self.depth > self.depth_limit:
            raise ContextError("depth", f"is {self.depth}; agents may be nested {self.depth_limit} deep")
        if type(self.lineage) is not tuple:
            raise ContextError("lineage", "must be a tuple of agent names")

    @property
    def is_root(self) -> bool:
        """Whether this is the request that the user made, and not a sub-agent's."""
        return self.parent_request_id is None

    def child(self, *, parent_agent: str, agent: str) -> UserExecutionContext:
        """The context in which `parent_agent`, running in this one, runs `agent` as a sub-agent.

        Raises `ContextError` when `agent` is already running above (a cycle) or the depth limit is reached.
        """
        lineage = (*self.lineage, parent_agent)
        if agent in lineage:
            raise ContextError("agent", f"is already running in this request: {' > '.join((*lineage, agent))}")
        return replace(
            self,
            request_id=RequestId(new_id()),
            parent_request_id=self.request_id,
            depth=self.depth + 1,
            lineage=lineage,
        )

    def refuse_placeholders(self) -> None:
        """Raise `ContextError` when an id is one that sample code uses; called in production settings."""
        for field in ("user_id", "thread_id", "run_id", "request_id"):
            value = getattr(self, field)
            if value.strip().lower() in PLACEHOLDER_IDS:
                raise ContextError(field, f"is the placeholder {value!r}; pass the real id")

    def correlation(self) -> dict[str, str]:
        """The ids that logs and traces carry, as a fresh dict of strings."""
        ids = {
            "user_id": self.user_id,
            "thread_id": self.thread_id,
            "run_id": self.run_id,
            "request_id": self.request_id,
        }
        if self.parent_request_id is not None:
            ids["parent_request_id"] = self.parent_request_id
        return ids


_ambient: Final[ContextVar[UserContext | None]] = ContextVar("carrel_ambient_context", default=None)


class ambient_context:  # noqa: N801 - a context manager reads as a verb
    """`with ambient_context(context):` marks everything inside, and the tasks it starts, as that user's."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: UserContext) -> None:
        self._context = context
        self._token: Token[UserContext | None] | None = None

    def __enter__(self) -> Self:
        self._token = _ambient.set(self._context)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._token is not None
        _ambient.reset(self._token)


def check_ambient(context: UserContext, part: str) -> None:
    """Raise `IsolationError` when code running for one user touches `part` with another user's context.

    The second line of defence: the first is that parts are bound to a context when they are made.
    """
    ambient = _ambient.get()
    if ambient is not None and ambient.user_id != context.user_id:
        raise IsolationError(part)
