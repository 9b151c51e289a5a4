"""The same agent as a LangGraph graph: decide, call one tool, answer; no model is asked."""

import operator
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

__all__ = ["graph"]


class State(TypedDict):
    messages: Annotated[list[dict[str, Any]], operator.add]


async def decide(_: State) -> State:
    return {"messages": [{"role": "assistant", "tool": "add", "arguments": {"a": 40, "b": 2}}]}


async def call(state: State) -> State:
    arguments = state["messages"][-1]["arguments"]
    return {"messages": [{"role": "tool", "content": arguments["a"] + arguments["b"]}]}


async def answer(state: State) -> State:
    return {"messages": [{"role": "assistant", "content": f"The sum is {state['messages'][-1]['content']}."}]}


graph = (
    StateGraph(State)
    .add_node("decide", decide)
    .add_node("call", call)
    .add_node("answer", answer)
    .add_edge(START, "decide")
    .add_edge("decide", "call")
    .add_edge("call", "answer")
    .add_edge("answer", END)
    .compile()
)
