"""AgentOS as its documentation sets it up: SQLite, JWT verification with scopes, isolation between users, no telemetry.

Runs in the peer's own environment, where carrel is not installed: `python agno_server.py PORT DATABASE SECRET`.
The model is a stub that answers at once, first with a tool call and then with the answer. The database is the
synchronous one: it was twice as fast here as `AsyncSqliteDb`.
"""

import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn
from agno.agent import Agent
from agno.db.sqlite import SqliteDb
from agno.models.base import Model
from agno.models.response import ModelResponse
from agno.os import AgentOS
from agno.os.authz import Authorization

__all__ = ["make_app"]


async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@dataclass
class StubModel(Model):
    id: str = "stub"
    name: str = "Stub"
    provider: str = "Stub"

    def _answer(self, messages: Any) -> ModelResponse:
        if messages[-1].role == "tool":
            return ModelResponse(role="assistant", content="The sum is 42.")
        call = {"id": "call-1", "type": "function", "function": {"name": "add", "arguments": '{"a": 40, "b": 2}'}}
        return ModelResponse(role="assistant", tool_calls=[call])

    def invoke(self, messages: Any, **kwargs: Any) -> ModelResponse:
        return self._answer(messages)

    async def ainvoke(self, messages: Any, **kwargs: Any) -> ModelResponse:
        return self._answer(messages)

    def invoke_stream(self, messages: Any, **kwargs: Any) -> Iterator[ModelResponse]:
        yield self._answer(messages)

    async def ainvoke_stream(self, messages: Any, **kwargs: Any) -> AsyncIterator[ModelResponse]:
        yield self._answer(messages)

    def _parse_provider_response(self, response: Any, **kwargs: Any) -> ModelResponse:
        return response

    def _parse_provider_response_delta(self, response: Any) -> ModelResponse:
        return response


def make_app(database: str, secret: str) -> Any:
    db = SqliteDb(db_file=database)
    agent = Agent(id="bench", name="bench", model=StubModel(), tools=[add], db=db, telemetry=False)
    return AgentOS(
        id="bench-os",
        agents=[agent],
        db=db,
        authorization=Authorization(verification_keys=[secret], algorithm="HS256"),
        user_isolation=True,
        telemetry=False,
    ).get_app()


if __name__ == "__main__":
    uvicorn.run(make_app(sys.argv[2], sys.argv[3]), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
