"""Agents written with Pydantic AI, run as carrel agents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from carrel.adapters.model import problem_of, text_of, usage_of
from carrel.context import UserExecutionContext
from carrel.errors import AgentFailedError, ToolFailedError
from carrel.runtime.agent import Agent, AgentResult, AgentRun, ToolDescription
from carrel.runtime.store import Message
from carrel.runtime.tools import Tool

try:
    import pydantic_ai
    from pydantic_ai import capabilities, exceptions, messages, toolsets
    from pydantic_ai.tools import RunContext, ToolDefinition
    from pydantic_ai.usage import RunUsage
    from pydantic_core import to_json, to_jsonable_python
except ImportError as error:
    raise ImportError(
        "carrel.adapters.pydantic_ai needs Pydantic AI: pip install 'carrel[pydantic-ai]'", name=error.name
    ) from error

__all__ = ["as_agent"]

DepsT = TypeVar("DepsT")
OutputT = TypeVar("OutputT")

TOOL_SECONDS: Final = 30.0

# What a tool of Pydantic AI raises to steer the conversation with the model, rather than because it broke.
_STEERING: Final = (
    exceptions.ModelRetry,
    exceptions.ToolFailed,
    exceptions.ToolRetryError,
    exceptions.ToolFailedError,
    exceptions.CallDeferred,
    exceptions.ApprovalRequired,
)
# What ends the whole run of the agent, such as the last of a tool's retries.
_ENDING: Final = (exceptions.AgentRunError, exceptions.UserError)


def as_agent(
    agent: pydantic_ai.Agent[DepsT, OutputT],
    *,
    name: str,
    description: str,
    deps: Callable[[AgentRun], DepsT] | None = None,
    tools: Sequence[str] = (),
    render: Callable[[OutputT], str] | None = None,
) -> type[Agent]:
    """A carrel agent class that answers with `agent`; `agent` is shared by all users and nothing is kept in it.

    `deps` makes the dependencies of one request, bound to its user; without it they are None. `tools` names
    registered tools that the model may call too, as far as the user may. `render` turns the output into Markdown;
    without it text stays as it is and anything else becomes a JSON code block.

    Every tool call passes the run's dispatcher: a tool may ask for a permission with `metadata={"permission": …}`
    (a user without it is not offered the tool) and has its own `timeout` or 30 seconds. A failed call is told to
    the model. A failing model raises `AgentFailedError`, which says what to do and quotes nothing of the provider.
    """
    agent_name, agent_description = name, description

    class AdaptedAgent:
        name = agent_name
        description = agent_description

        async def run(self, run: AgentRun) -> AgentResult:
            request = _Request(run, frozenset(tools), streams=_answers_in_text(agent.output_type))
            usage = RunUsage()
            problem: str | None = None
            try:
                result = await agent.run(
                    run.input,
                    deps=cast("DepsT", deps(run) if deps is not None else None),  # those of an agent without are None
                    message_history=_model_messages(run.history),
                    conversation_id=run.context.thread_id,
                    usage=usage,
                    toolsets=[_offered_tools(run, tools)],
                    capabilities=[request, capabilities.ReinjectSystemPrompt[DepsT]()],
                    infer_name=False,
                )
                return AgentResult(output=_markdown(agent_name, result.output, render), usage=usage_of(usage))
            except Exception as error:
                problem = problem_of(error)
                if problem is None:
                    raise
            # Raised outside of the handler, so that the provider's exception does not travel along as its context.
            raise AgentFailedError(agent_name, problem)

    AdaptedAgent.__name__ = AdaptedAgent.__qualname__ = f"AdaptedAgent[{name}]"
    return AdaptedAgent


@dataclass(init=False)
class _Request(capabilities.AbstractCapability[Any]):
    """What ties one run of a Pydantic AI agent to one request; made for it and dropped with it."""

    def __init__(self, run: AgentRun, offered: frozenset[str], *, streams: bool) -> None:
        self.id = "carrel"
        self.description = None
        self.defer_loading = False
        self._run = run
        self._offered = offered
        self._streams = streams
        self._spoke = False

    async def on_event(self, ctx: RunContext[Any], *, event: Any) -> None:
        if isinstance(event, messages.PartEndEvent):
            if isinstance(event.part, messages.ThinkingPart) and event.part.content.strip():
                await self._run.think(event.part.content)
        elif self._streams and (text := text_of(event)):
            # A model that speaks, calls a tool and speaks again has written two paragraphs, not one word.
            starts = isinstance(event, messages.PartStartEvent)
            await self._run.say(f"\n\n{text}" if starts and self._spoke else text)
            self._spoke = True

    async def prepare_tools(self, ctx: RunContext[Any], tool_defs: list[ToolDefinition]) -> list[ToolDefinition]:
        return [tool for tool in tool_defs if self._run.context.may(_permission(tool))]

    async def wrap_tool_execute(
        self,
        ctx: RunContext[Any],
        *,
        call: messages.ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, Any],
        handler: Callable[[dict[str, Any]], Any],
    ) -> Any:
        if tool_def.name in self._offered:
            return await handler(args)  # it ends in `call_tool`, which is the dispatcher
        results: list[Any] = []
        through: list[Exception] = []

        async def execute(_context: UserExecutionContext, _arguments: Mapping[str, Any]) -> Any:
            try:
                results.append(await handler(args))
            except exceptions.SkipToolExecution as skipped:
                results.append(skipped.result)
            except (*_STEERING, *_ENDING) as error:
                through.append(error)
                raise ToolFailedError(tool_def.name, "tool_failed", _reason(error)) from None
            return _shown(results[0])

        try:
            await self._run.use_tool(_tool(tool_def, execute), **call.args_as_dict())
        except ToolFailedError as failure:
            if through:
                raise through[0] from None
            raise _told(failure) from None
        return results[0]


def _reason(error: Exception) -> str:
    # What a tool says to the model may be read by the person whom the model answers; other text may hold secrets.
    said = str(error) if isinstance(error, _STEERING) else problem_of(error)
    return said or type(error).__name__


def _told(failure: ToolFailedError) -> exceptions.ToolFailed:
    """A failure as the model is told of it: it may not repeat the call, and can go on without it."""
    return exceptions.ToolFailed(f"{failure.code}: {failure.problem}")


def _tool(
    definition: ToolDefinition, execute: Callable[[UserExecutionContext, Mapping[str, Any]], Awaitable[Any]]
) -> Tool:
    return Tool(
        name=definition.name,
        description=definition.description or "",
        parameters=definition.parameters_json_schema,
        permission=_permission(definition),
        timeout_seconds=definition.timeout or TOOL_SECONDS,
        call=execute,
    )


def _permission(definition: ToolDefinition) -> str | None:
    return (definition.metadata or {}).get("permission")


def _shown(result: Any) -> Any:
    """A tool's result as events can carry it."""
    if isinstance(result, messages.ToolReturn):
        result = result.return_value
    return to_jsonable_python(result, bytes_mode="base64", serialize_unknown=True)


def _offered_tools(run: AgentRun, names: Sequence[str]) -> toolsets.FunctionToolset[Any]:
    return toolsets.FunctionToolset([_offered_tool(run, run.tools[name]) for name in names if name in run.tools])


def _offered_tool(run: AgentRun, description: ToolDescription) -> pydantic_ai.Tool[Any]:
    async def call(**arguments: Any) -> Any:
        try:
            return await run.call_tool(description.name, **arguments)
        except ToolFailedError as failure:
            if failure.code == "invalid_arguments":
                raise exceptions.ModelRetry(failure.problem) from None
            raise _told(failure) from None

    return pydantic_ai.Tool[Any].from_schema(
        call, description.name, description.description, dict(description.parameters)
    )


def _model_messages(history: Sequence[Message]) -> list[messages.ModelMessage]:
    return [
        messages.ModelRequest(parts=[messages.UserPromptPart(message.text)])
        if message.role == "user"
        else messages.ModelResponse(parts=[messages.TextPart(message.text)])
        for message in history
    ]


def _answers_in_text(output_type: Any) -> bool:
    return output_type is str or (isinstance(output_type, Sequence) and str in output_type)


def _markdown(name: str, output: Any, render: Callable[[Any], str] | None) -> str:
    if isinstance(output, pydantic_ai.DeferredToolRequests):
        raise AgentFailedError(name, "it asked for approval of a tool call, which no adapter offers; remove the demand")
    if render is not None:
        return render(output)
    if isinstance(output, str):
        return output
    return f"```json\n{to_json(output, indent=2, serialize_unknown=True).decode()}\n```"
