"""An `AgentRun` that writes down what its agent does, in order."""

from collections.abc import Mapping, Sequence
from typing import Any

from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId
from carrel.errors import ToolFailedError, ToolNotFoundError
from carrel.runtime.agent import AgentResult, ToolDescription
from carrel.runtime.store import BoundStore, Message
from carrel.runtime.tools import Tool


def context_of(user: str, permissions: frozenset[str] = frozenset()) -> UserExecutionContext:
    return UserExecutionContext(
        user_id=UserId(user),
        thread_id=ThreadId(f"thread-of-{user}"),
        run_id=RunId(f"run-of-{user}"),
        request_id=RequestId(f"request-of-{user}"),
        permissions=permissions,
    )


class RecordedRun:
    """`entries` holds ("think", text), ("say", text), ("tool", name, arguments, status, result or code)."""

    def __init__(
        self,
        input: str = "Hello",
        *,
        user: str = "anna",
        permissions: frozenset[str] = frozenset(),
        history: Sequence[Message] = (),
        tools: Mapping[str, ToolDescription] | None = None,
        results: Mapping[str, Any] | None = None,
    ) -> None:
        self.context = context_of(user, permissions)
        self.input = input
        self.history = history
        self.agents: Mapping[str, str] = {}
        self.tools = tools or {}
        self.results = results or {}
        self.entries: list[tuple[Any, ...]] = []

    @property
    def store(self) -> BoundStore:
        raise NotImplementedError

    @property
    def said(self) -> str:
        return "".join(entry[1] for entry in self.entries if entry[0] == "say")

    @property
    def thoughts(self) -> list[str]:
        return [entry[1] for entry in self.entries if entry[0] == "think"]

    @property
    def calls(self) -> list[tuple[Any, ...]]:
        return [entry[1:] for entry in self.entries if entry[0] == "tool"]

    async def think(self, text: str) -> None:
        self.entries.append(("think", text))

    async def say(self, text: str) -> None:
        self.entries.append(("say", text))

    async def call_tool(self, name: str, /, **arguments: Any) -> Any:
        if name not in self.results:
            raise ToolNotFoundError(name, tuple(self.results))
        result = self.results[name]
        if isinstance(result, ToolFailedError):
            self.entries.append(("tool", name, arguments, "failed", result.code))
            raise result
        self.entries.append(("tool", name, arguments, "succeeded", result))
        return result

    async def use_tool(self, tool: Tool, /, **arguments: Any) -> Any:
        if not self.context.may(tool.permission):
            self.entries.append(("tool", tool.name, arguments, "denied", "permission_denied"))
            raise ToolFailedError(tool.name, "permission_denied", "you lack the permission")
        try:
            result = await tool.call(self.context, arguments)
        except ToolFailedError as error:
            self.entries.append(("tool", tool.name, arguments, "failed", error.problem))
            raise
        except Exception as error:
            self.entries.append(("tool", tool.name, arguments, "failed", "tool_failed"))
            raise ToolFailedError(tool.name, "tool_failed", type(error).__name__) from error
        self.entries.append(("tool", tool.name, arguments, "succeeded", result))
        return result

    async def run_agent(self, name: str, input: str) -> AgentResult:
        raise NotImplementedError
