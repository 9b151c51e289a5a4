from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class RunState:
    user_id: str = ""
    inputs: str = ""
    log: list[str] = field(default_factory=list)


_state: ContextVar[RunState] = ContextVar("state")
_state.set(RunState())


def current() -> RunState:
    return _state.get()


def begin(user_id: str, inputs: str) -> None:
    state = current()
    state.user_id, state.inputs = user_id, inputs
