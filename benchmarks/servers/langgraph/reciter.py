"""A graph that streams as many pieces as it is asked for, to be disconnected from at every one of them."""

from typing import TypedDict

from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph

__all__ = ["graph"]


class State(TypedDict):
    pieces: int


async def recite(state: State) -> State:
    write = get_stream_writer()
    for number in range(state["pieces"]):
        write({"text": f"Thought number {number}."})
    return state


graph = StateGraph(State).add_node("recite", recite).add_edge(START, "recite").add_edge("recite", END).compile()
