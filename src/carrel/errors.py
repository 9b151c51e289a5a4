"""Every exception of carrel.

::

    CarrelError
    ├── ContextError                  an id is missing, blank or a placeholder; too deep; a cycle
    ├── IsolationError                something bound to one user was used for another
    ├── AuthenticationError           who is asking could not be established
    │   └── ThrottledError            too many failed attempts
    ├── NotFoundError                 it does not exist, or it belongs to someone else
    ├── ConflictError                 it cannot be done in the present state
    ├── InputError                    a value that a client sent is not accepted
    ├── RunError
    │   ├── AgentNotFoundError
    │   ├── AgentFailedError          an agent raised or returned something that is no answer
    │   ├── ToolNotFoundError
    │   ├── ToolFailedError           a tool raised, was denied or timed out
    │   ├── RunTimeoutError
    │   ├── RunCancelledError
    │   ├── EngineClosedError         an engine, emitter or dispatcher was used after its end
    │   └── LimitExceededError
    ├── DeliveryError
    │   ├── GrammarError              an event that the event grammar does not allow here
    │   ├── UnrecoverablePositionError
    │   └── SlowConsumerError
    ├── StorageError
    ├── SettingsError
    ├── SourceError                   a source file or tree cannot be read
    └── MigrationError                a migration cannot go on
        ├── RecipeError               a recipe is not understood
        ├── DirtyWorktreeError        there are changes that a phase or a rollback would mix up or lose
        ├── GateFailedError           a gate cannot judge: its command is broken before anything has changed
        └── RollbackError             a phase cannot be taken back, or not completely

Exceptions carry data as attributes; the message is derived from it and says what to do next.
"""

from __future__ import annotations

__all__ = [
    "AgentFailedError",
    "AgentNotFoundError",
    "AuthenticationError",
    "CarrelError",
    "ConflictError",
    "ContextError",
    "DeliveryError",
    "DirtyWorktreeError",
    "EngineClosedError",
    "GateFailedError",
    "GrammarError",
    "InputError",
    "IsolationError",
    "LimitExceededError",
    "MigrationError",
    "NotFoundError",
    "RecipeError",
    "RollbackError",
    "RunCancelledError",
    "RunError",
    "RunTimeoutError",
    "SettingsError",
    "SlowConsumerError",
    "SourceError",
    "StorageError",
    "ThrottledError",
    "ToolFailedError",
    "ToolNotFoundError",
    "UnrecoverablePositionError",
]


class CarrelError(Exception):
    """Root of every exception that carrel raises on purpose."""


class ContextError(CarrelError):
    """Raised when a context cannot be made; `field` names what is wrong."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field} {problem}")


class IsolationError(CarrelError):
    """Raised when a part that belongs to one user meets another user's context.

    The message names the part and never either user.
    """

    def __init__(self, part: str) -> None:
        self.part = part
        super().__init__(
            f"{part} belongs to another user or request than the context it was used with; "
            "make a fresh one for this context"
        )


class AuthenticationError(CarrelError):
    """Raised when an identity cannot be established; `reason` never contains the credential."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{reason}; sign in again")


class ThrottledError(AuthenticationError):
    """Raised when an account or address has failed too often; try again after `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(f"too many failed attempts, wait {retry_after:.0f} s")


class NotFoundError(CarrelError):
    """Raised when something does not exist, or exists and belongs to someone else."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"no such {what}; list what is yours and use one of those ids")


class ConflictError(CarrelError):
    """Raised when a request is valid and cannot be done now; `code` is stable for clients."""

    def __init__(self, code: str, problem: str) -> None:
        self.code = code
        self.problem = problem
        super().__init__(problem)


class InputError(CarrelError):
    """Raised when a value that a client sent is not accepted; `field` names it."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}")


class RunError(CarrelError):
    """Root of what can go wrong while a run executes; `code` is what events carry."""

    code = "run_error"


class AgentNotFoundError(RunError):
    """Raised when no agent has the name; `known` lists those there are."""

    code = "agent_not_found"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        self.known = known
        super().__init__(f"no agent named {name!r}; there are: {', '.join(known) or 'none'}")


class AgentFailedError(RunError):
    """Raised when an agent raised, or returned something that is no answer."""

    code = "agent_failed"

    def __init__(self, agent: str, problem: str) -> None:
        self.agent = agent
        self.problem = problem
        super().__init__(f"agent {agent!r} failed: {problem}")


class ToolNotFoundError(RunError):
    """Raised when no tool has the name; `known` lists those there are."""

    code = "tool_not_found"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        self.known = known
        super().__init__(f"no tool named {name!r}; there are: {', '.join(known) or 'none'}")


class ToolFailedError(RunError):
    """Raised into the agent when a tool call did not succeed.

    `code` is one of `invalid_arguments`, `permission_denied`, `timed_out`, `tool_failed`.
    """

    def __init__(self, tool: str, code: str, problem: str) -> None:
        self.tool = tool
        self.code = code
        self.problem = problem
        super().__init__(f"tool {tool!r}: {problem}")


class RunTimeoutError(RunError):
    """Raised when a run has used up its wall-clock time."""

    code = "timed_out"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"the run took longer than {seconds:g} s; ask for less or raise the limit")


class RunCancelledError(RunError):
    """Raised inside a run that its user cancelled."""

    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("the run was cancelled")


class EngineClosedError(RunError):
    """Raised when an engine or one of its parts is used after its end."""

    code = "engine_closed"

    def __init__(self, part: str) -> None:
        self.part = part
        super().__init__(f"{part} is closed; make a new engine for a new request")


class LimitExceededError(RunError):
    """Raised when a limit is crossed; `limit` is its name, `retry_after` seconds or None."""

    code = "limit_exceeded"

    def __init__(self, limit: str, allowed: float, retry_after: float | None = None) -> None:
        self.limit = limit
        self.allowed = allowed
        self.retry_after = retry_after
        wait = f"; try again in {retry_after:g} s" if retry_after is not None else ""
        super().__init__(f"limit {limit} is {allowed:g}{wait}")


class DeliveryError(CarrelError):
    """Root of what can go wrong between the event log and a client."""


class GrammarError(DeliveryError):
    """Raised when an event is not allowed at this point of its run."""

    def __init__(self, event_type: str, problem: str) -> None:
        self.event_type = event_type
        self.problem = problem
        super().__init__(f"{event_type}: {problem}")


class UnrecoverablePositionError(DeliveryError):
    """Raised when a log no longer holds what follows `after`; reload, then follow from `top`."""

    def __init__(self, after: int, oldest: int, top: int) -> None:
        self.after = after
        self.oldest = oldest
        self.top = top
        super().__init__(
            f"nothing can be read after offset {after}: the log holds {oldest} to {top}; reload and follow from the top"
        )


class SlowConsumerError(DeliveryError):
    """Raised when a connection's queue is full; the client connects again and resumes."""

    def __init__(self, events: int, size: int) -> None:
        self.events = events
        self.size = size
        super().__init__(f"{events} events ({size} bytes) are waiting; connect again and resume")


class StorageError(CarrelError):
    """Raised when the database cannot do what was asked; nothing was half-written."""


class SettingsError(CarrelError):
    """Raised when a setting is unknown or unusable; `setting` names it."""

    def __init__(self, setting: str, problem: str) -> None:
        self.setting = setting
        self.problem = problem
        super().__init__(f"{setting}: {problem}")


class SourceError(CarrelError):
    """Raised when source code cannot be read; `line` is where, from 1, or 0 where there is no line."""

    def __init__(self, line: int, problem: str) -> None:
        self.line = line
        self.problem = problem
        super().__init__(f"line {line}: {problem}" if line else problem)


class MigrationError(CarrelError):
    """Raised when a migration cannot begin or go on; nothing is left half-done."""


class RecipeError(MigrationError):
    """Raised when a recipe is not understood; `key` and `line` say where, as far as that is known."""

    def __init__(self, path: str, line: int, key: str, problem: str) -> None:
        self.path = path
        self.line = line
        self.key = key
        self.problem = problem
        place = f"{path}:{line}" if line else path
        super().__init__(f"{place}: {key}: {problem}" if key else f"{place}: {problem}")


class DirtyWorktreeError(MigrationError):
    """Raised when `paths` under `root` have changes that a phase or a rollback would mix up or lose."""

    def __init__(self, root: str, paths: tuple[str, ...], advice: str) -> None:
        self.root = root
        self.paths = paths
        self.advice = advice
        more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
        super().__init__(f"{root} has changes in {', '.join(paths[:5])}{more}; {advice}")


class GateFailedError(MigrationError):
    """Raised when the gate command named `gate` fails before anything has changed, so that it cannot judge."""

    def __init__(self, gate: str, problem: str) -> None:
        self.gate = gate
        self.problem = problem
        super().__init__(f"gate {gate!r}: {problem}; repair it, or take it out of the recipe")


class RollbackError(MigrationError):
    """Raised when something cannot be taken back; what is said about `what` tells how to go on."""

    def __init__(self, what: str, advice: str) -> None:
        self.what = what
        self.advice = advice
        super().__init__(f"{what}; {advice}")
