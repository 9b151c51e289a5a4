from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pydantic_ai
import pytest
from pydantic import BaseModel
from pydantic_ai import exceptions, messages, models
from pydantic_ai.models.function import AgentInfo, DeltaThinkingPart, DeltaToolCall, FunctionModel
from pydantic_ai.models.test import TestModel

from carrel.adapters.pydantic_ai import as_agent
from carrel.context import RunId
from carrel.errors import AgentFailedError, ToolFailedError
from carrel.runtime.agent import Agent, AgentResult, AgentRun, ToolDescription
from carrel.runtime.registry import AgentRegistry
from carrel.runtime.store import Message
from tests.adapters.recorded_run import RecordedRun

SECRET = "sk-canary-4711"

type_of_piece = str | dict[int, DeltaToolCall] | dict[int, DeltaThinkingPart]


@pytest.fixture(autouse=True)
def no_real_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", False)


def scripted(*responses: list[type_of_piece] | Exception) -> FunctionModel:
    """A model that gives one response after the other; it keeps no state: it counts its own answers in the history."""

    async def answer(history: list[messages.ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        response = responses[sum(isinstance(message, messages.ModelResponse) for message in history)]
        if isinstance(response, Exception):
            raise response
        for piece in response:
            yield piece

    return FunctionModel(stream_function=answer)


def call(name: str, /, **arguments: Any) -> dict[int, DeltaToolCall]:
    return {0: DeltaToolCall(name=name, json_args=json.dumps(arguments), tool_call_id="call-1")}


def adapted(agent: pydantic_ai.Agent[Any, Any], **options: Any) -> Agent:
    return as_agent(agent, name="clerk", description="Answers questions.", **options)()


async def result_of(agent: Agent, run: RecordedRun) -> AgentResult:
    result = await agent.run(run)
    assert isinstance(result, AgentResult)
    return result


def test_the_class_is_an_agent_that_a_registry_takes() -> None:
    made = as_agent(pydantic_ai.Agent(TestModel()), name="clerk", description="Answers questions.")
    spec = AgentRegistry([made])["clerk"]
    assert (spec.name, spec.description) == ("clerk", "Answers questions.")
    assert spec.make() is not spec.make()


async def test_text_is_said_while_it_is_written_and_is_the_output() -> None:
    run = RecordedRun()
    result = await result_of(adapted(pydantic_ai.Agent(scripted(["One ", "two ", "three"]))), run)
    assert run.entries == [("say", "One "), ("say", "two "), ("say", "three")]
    assert result.output == "One two three"
    assert result.status == "succeeded"


async def test_the_agents_own_event_handler_stays_in_use() -> None:
    handled: list[Any] = []

    async def handle(ctx: Any, stream: Any) -> None:
        handled.extend([event async for event in stream])

    agent = pydantic_ai.Agent(scripted(["One"]), capabilities=[pydantic_ai.capabilities.ProcessEventStream(handle)])
    run = RecordedRun()
    await result_of(adapted(agent), run)
    assert handled
    assert run.said == "One"


async def test_thinking_becomes_thinking() -> None:
    run = RecordedRun()
    model = scripted([{0: DeltaThinkingPart(content="Let me ")}, {0: DeltaThinkingPart(content="see.")}, "Yes"])
    await result_of(adapted(pydantic_ai.Agent(model)), run)
    assert run.entries == [("think", "Let me see."), ("say", "Yes")]


async def test_the_agents_own_tool_goes_through_the_run() -> None:
    agent = pydantic_ai.Agent(scripted(["Looking.", {1: call("double", number=21)[0]}], ["It is 42."]))

    @agent.tool_plain
    def double(number: int) -> int:
        return 2 * number

    run = RecordedRun()
    result = await result_of(adapted(agent), run)
    assert run.calls == [("double", {"number": 21}, "succeeded", 42)]
    assert run.said == "Looking.\n\nIt is 42."
    assert result.output == "It is 42."


async def test_no_tool_runs_without_its_permission_even_when_the_model_asks_for_it() -> None:
    ran: list[str] = []
    agent = pydantic_ai.Agent(scripted([call("drop")], ["I may not."]))

    @agent.tool_plain(metadata={"permission": "records:delete"})
    def drop() -> str:
        ran.append("drop")
        return "dropped"

    run = RecordedRun()
    result = await result_of(adapted(agent), run)
    assert result.output == "I may not."
    assert ran == []
    assert run.calls == []


async def test_the_dispatcher_itself_asks_for_the_permission() -> None:
    """`prepare_tools` hides the tool; a capability that brings it back must not be enough."""
    ran: list[str] = []

    class Insistent(pydantic_ai.capabilities.AbstractCapability[Any]):
        async def wrap_tool_execute(
            self, ctx: Any, *, call: Any, tool_def: Any, args: Any, handler: Callable[[Any], Any]
        ) -> Any:
            tool_def.metadata["permission"] = "records:delete"
            return await handler(args)

    agent = pydantic_ai.Agent(scripted([call("drop")], ["I may not."]), capabilities=[Insistent()])

    @agent.tool_plain(metadata={})
    def drop() -> str:
        ran.append("drop")
        return "dropped"

    run = RecordedRun()
    await result_of(adapted(agent), run)
    assert run.calls == [("drop", {}, "denied", "permission_denied")]
    assert ran == []


async def test_a_user_with_the_permission_is_offered_the_tool() -> None:
    agent = pydantic_ai.Agent(TestModel())

    @agent.tool_plain(metadata={"permission": "records:read"})
    def read() -> str:
        return "a record"

    allowed, refused = RecordedRun(permissions=frozenset({"records:read"})), RecordedRun(user="ben")
    await result_of(adapted(agent), allowed)
    await result_of(adapted(agent), refused)
    assert allowed.calls == [("read", {}, "succeeded", "a record")]
    assert refused.calls == []


async def test_a_retry_reaches_the_model_as_a_retry() -> None:
    seen: list[str] = []
    agent = pydantic_ai.Agent(scripted([call("find", name="x")], [call("find", name="y")], ["Found."]))

    @agent.tool_plain
    def find(name: str) -> str:
        seen.append(name)
        if name == "x":
            raise pydantic_ai.ModelRetry("no x here")
        return name

    run = RecordedRun()
    assert (await result_of(adapted(agent), run)).output == "Found."
    assert seen == ["x", "y"]
    assert [entry[2] for entry in run.calls] == ["failed", "succeeded"]
    assert "no x here" in run.calls[0][3]


async def test_a_tool_that_always_asks_for_a_retry_uses_its_retries_up() -> None:
    agent = pydantic_ai.Agent(scripted([call("find")], [call("find")], ["never"]))

    @agent.tool_plain(retries=1)
    def find() -> str:
        raise pydantic_ai.ModelRetry("not like that")

    with pytest.raises(AgentFailedError, match="no usable answer"):
        await adapted(agent).run(RecordedRun())


async def test_a_tool_whose_own_model_fails_tells_no_secret() -> None:
    inner = pydantic_ai.Agent(scripted(exceptions.ModelAPIError("gpt", SECRET)))
    agent = pydantic_ai.Agent(scripted([call("ask")], ["never"]))

    @agent.tool_plain
    async def ask() -> str:
        async with inner.run_stream("Hello") as answer:
            return await answer.get_output()

    run = RecordedRun()
    with pytest.raises(AgentFailedError, match="the model provider reported an error"):
        await adapted(agent).run(run)
    assert run.calls[0][2] == "failed"
    assert SECRET not in str(run.entries)


async def test_a_broken_tool_is_told_to_the_model_without_its_text() -> None:
    told: list[str] = []

    async def answer(history: list[messages.ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        returned = [
            part
            for message in history
            for part in message.parts
            if isinstance(message, messages.ModelRequest) and isinstance(part, messages.ToolReturnPart)
        ]
        if not returned:
            yield call("read")
            return
        told.append(returned[0].model_response_str())
        yield "I could not read it."

    agent = pydantic_ai.Agent(FunctionModel(stream_function=answer))

    @agent.tool_plain
    def read() -> str:
        raise RuntimeError(SECRET)

    run = RecordedRun()
    assert (await result_of(adapted(agent), run)).output == "I could not read it."
    assert "tool_failed" in told[0]
    assert SECRET not in told[0]
    assert run.calls == [("read", {}, "failed", "tool_failed")]


async def test_a_result_that_a_capability_has_already_is_the_tools_result() -> None:
    class Cache(pydantic_ai.capabilities.AbstractCapability[Any]):
        async def before_tool_execute(self, ctx: Any, *, call: Any, tool_def: Any, args: Any) -> Any:
            raise exceptions.SkipToolExecution("from the cache")

    agent = pydantic_ai.Agent(scripted([call("read")], ["Done."]), capabilities=[Cache()])

    @agent.tool_plain
    def read() -> str:
        raise AssertionError

    run = RecordedRun()
    await result_of(adapted(agent), run)
    assert run.calls == [("read", {}, "succeeded", "from the cache")]


class Place(BaseModel):
    city: str


async def test_tool_results_reach_the_model_as_they_are_and_the_events_as_json() -> None:
    agent = pydantic_ai.Agent(scripted([call("where")], ["There."]))

    @agent.tool_plain
    def where() -> pydantic_ai.ToolReturn[Place]:
        return pydantic_ai.ToolReturn(Place(city="Ulm"), content="for the model only")

    run = RecordedRun()
    await result_of(adapted(agent), run)
    assert run.calls == [("where", {}, "succeeded", {"city": "Ulm"})]


async def test_registered_tools_are_offered_and_called_by_name() -> None:
    schema = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
    description = ToolDescription(name="spend", description="Sums spend up.", parameters=schema)
    agent = pydantic_ai.Agent(scripted([call("spend", days=7)], ["12 USD"]))
    run = RecordedRun(tools={"spend": description}, results={"spend": {"usd": 12}})
    await result_of(adapted(agent, tools=("spend", "not_for_this_user")), run)
    assert run.calls == [("spend", {"days": 7}, "succeeded", {"usd": 12})]


@pytest.mark.parametrize("code", ["invalid_arguments", "timed_out"])
async def test_a_failing_registered_tool_is_told_to_the_model(code: str) -> None:
    description = ToolDescription(name="spend", description="Sums.", parameters={"type": "object", "properties": {}})
    agent = pydantic_ai.Agent(scripted([call("spend")], ["Sorry."]))
    run = RecordedRun(tools={"spend": description}, results={"spend": ToolFailedError("spend", code, "no")})
    assert (await result_of(adapted(agent, tools=("spend",)), run)).output == "Sorry."


async def test_only_named_registered_tools_are_offered() -> None:
    description = ToolDescription(name="spend", description="Sums.", parameters={"type": "object", "properties": {}})
    run = RecordedRun(tools={"spend": description}, results={"spend": 1})
    await result_of(adapted(pydantic_ai.Agent(TestModel())), run)
    assert run.calls == []


async def test_history_and_system_prompt_and_instructions_reach_the_model() -> None:
    seen: list[list[str]] = []

    async def note(history: list[messages.ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        seen.append([str(getattr(part, "content", "")) for message in history for part in message.parts])
        assert info.instructions == "Be kind."
        yield "ok"

    agent = pydantic_ai.Agent(
        FunctionModel(stream_function=note), system_prompt="You are a clerk.", instructions="Be kind."
    )
    earlier = [
        Message("1", RunId("r"), "user", "My name is Ada.", ""),
        Message("2", RunId("r"), "assistant", "Hello Ada.", ""),
    ]
    await result_of(adapted(agent), RecordedRun("Who am I?", history=earlier))
    await result_of(adapted(agent), RecordedRun("Who am I?"))
    assert seen == [
        ["You are a clerk.", "My name is Ada.", "Hello Ada.", "Who am I?"],
        ["You are a clerk.", "Who am I?"],
    ]


async def test_structured_output_is_rendered_and_not_streamed() -> None:
    agent: pydantic_ai.Agent[None, Place] = pydantic_ai.Agent(
        TestModel(custom_output_args={"city": "Ulm"}), output_type=Place
    )
    run = RecordedRun()
    assert (await result_of(adapted(agent), run)).output == '```json\n{\n  "city": "Ulm"\n}\n```'
    assert (await result_of(adapted(agent, render=lambda place: f"**{place.city}**"), run)).output == "**Ulm**"
    assert run.entries == []


async def test_tokens_and_cost_are_counted_over_all_model_requests() -> None:
    agent = pydantic_ai.Agent(scripted([call("double", number=1)], ["2"]))
    costs = iter((Decimal("0.25"), Decimal("0.5")))

    @agent.tool_plain
    def double(number: int) -> int:
        return 2 * number

    class Priced(pydantic_ai.capabilities.AbstractCapability[Any]):
        async def after_model_request(self, ctx: Any, *, request_context: Any, response: Any) -> Any:
            ctx.usage.cost = (ctx.usage.cost or 0) + next(costs)
            return response

    agent_with_price = pydantic_ai.Agent(agent.model, capabilities=[Priced()])
    agent_with_price.tool_plain(double)
    usage = (await result_of(adapted(agent_with_price), RecordedRun())).usage
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0
    assert usage.cost_usd == 0.75


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ModelHTTPError(401, "gpt", body={"message": f"Incorrect API key provided: {SECRET}"}),
        exceptions.ModelAPIError("gpt", SECRET),
        exceptions.UnexpectedModelBehavior(SECRET, SECRET),
    ],
)
async def test_a_failing_model_fails_the_agent_without_telling_secrets(error: Exception) -> None:
    with pytest.raises(AgentFailedError) as caught:
        await adapted(pydantic_ai.Agent(scripted(error))).run(RecordedRun())
    assert caught.value.agent == "clerk"
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


async def test_a_mistake_in_the_agent_stays_what_it_is() -> None:
    agent = pydantic_ai.Agent(TestModel(), deps_type=str)

    def broken(run: AgentRun) -> str:
        raise LookupError("no such account")

    with pytest.raises(LookupError):
        await adapted(agent, deps=broken).run(RecordedRun())


async def test_a_demand_for_approval_fails_clearly() -> None:
    agent = pydantic_ai.Agent(scripted([call("drop")]), output_type=[str, pydantic_ai.DeferredToolRequests])

    @agent.tool_plain(requires_approval=True)
    def drop() -> str:
        return "dropped"

    with pytest.raises(AgentFailedError, match="approval"):
        await adapted(agent).run(RecordedRun())


async def test_a_cancelled_run_stops_the_model_and_the_tool() -> None:
    started, stopped = asyncio.Event(), asyncio.Event()
    agent = pydantic_ai.Agent(scripted([call("wait")], ["never"]))

    @agent.tool_plain
    async def wait() -> str:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()
        return "never"

    run = RecordedRun()
    task = asyncio.ensure_future(adapted(agent).run(run))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()
    assert run.said == ""


@dataclass
class Account:
    user: str
    canary: str


async def test_two_users_interleaved_on_one_agent_share_nothing() -> None:
    """One Agent object, two users, every model request and tool call of one between two of the other."""
    turn = asyncio.Barrier(2)
    seen: dict[str, list[str]] = {"anna": [], "ben": []}

    async def answer(history: list[messages.ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        text = str([info.instructions, *history])
        user = "anna" if "input-of-anna" in text else "ben"
        seen[user].append(text)
        await turn.wait()
        if len(seen[user]) < 3:
            yield "A moment. "
            await turn.wait()
            yield {1: DeltaToolCall(name="lookup", json_args="{}", tool_call_id="call-1")}
        else:
            yield f"You are {user}: "
            await turn.wait()
            yield text

    agent = pydantic_ai.Agent(FunctionModel(stream_function=answer), deps_type=Account)

    @agent.instructions
    def who(ctx: pydantic_ai.RunContext[Account]) -> str:
        return f"Serve {ctx.deps.user} ({ctx.deps.canary})."

    @agent.tool
    async def lookup(ctx: pydantic_ai.RunContext[Account]) -> str:
        await turn.wait()
        return f"secret-of-{ctx.deps.user}"

    made = as_agent(
        agent,
        name="clerk",
        description="Answers questions.",
        deps=lambda run: Account(run.context.user_id, f"canary-of-{run.context.user_id}"),
    )
    runs = {
        user: RecordedRun(
            f"input-of-{user}", user=user, history=[Message("1", RunId("r"), "user", f"history-of-{user}", "")]
        )
        for user in ("anna", "ben")
    }
    results = dict(zip(runs, await asyncio.gather(*(result_of(made(), run) for run in runs.values())), strict=True))
    for user, other in (("anna", "ben"), ("ben", "anna")):
        everything = str([seen[user], runs[user].entries, results[user]])
        for kind in ("input", "history", "canary", "secret"):
            assert f"{kind}-of-{user}" in everything
            assert f"{kind}-of-{other}" not in everything
        assert [entry[0] for entry in runs[user].calls] == ["lookup", "lookup"]
