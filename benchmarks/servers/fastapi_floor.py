"""The floor: what FastAPI and SQLite alone cost for a run and its five events, each stored before it is streamed.

`python -m benchmarks.servers.fastapi_floor PORT DATABASE SECRET`. It verifies a token and nothing else: no limits, no
resuming, no acknowledgements, no second reader, no recovery.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import aiosqlite
import jwt
import uvicorn
from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

__all__ = ["make_app"]

_SCHEMA = """
CREATE TABLE runs (run_id TEXT PRIMARY KEY, user_id TEXT, input TEXT, state TEXT, output TEXT, created_at REAL);
CREATE TABLE events (event_id TEXT PRIMARY KEY, user_id TEXT, run_id TEXT, type TEXT, data TEXT, created_at REAL);
"""


class StartRun(BaseModel):
    input: str


def make_app(path: str, secret: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with aiosqlite.connect(path) as database:
            await database.execute("PRAGMA journal_mode=WAL")
            await database.execute("PRAGMA synchronous=NORMAL")
            await database.executescript(_SCHEMA)
            app.state.database = database
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/runs")
    async def start(body: StartRun, authorization: str = Header()) -> StreamingResponse:
        try:
            token = authorization.removeprefix("Bearer ")
            user = jwt.decode(token, secret, algorithms=["HS256"], audience="bench-os")["sub"]
        except jwt.InvalidTokenError as error:
            raise HTTPException(401) from error
        return StreamingResponse(_run(app.state.database, user, body.input), media_type="text/event-stream")

    return app


async def _run(database: aiosqlite.Connection, user: str, text: str) -> AsyncIterator[bytes]:
    run = str(uuid4())
    await database.execute("INSERT INTO runs VALUES (?, ?, ?, 'running', NULL, ?)", (run, user, text, time.time()))
    await database.commit()

    async def event(kind: str, data: dict[str, object]) -> bytes:
        event_id, body = str(uuid4()), json.dumps(data)
        row = (event_id, user, run, kind, body, time.time())
        await database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", row)
        await database.commit()
        return f"id: {event_id}\nevent: {kind}\ndata: {body}\n\n".encode()

    yield await event("agent_started", {"input": text})
    yield await event("agent_thinking", {"text": "I need to add two numbers."})
    yield await event("tool_executing", {"tool": "add", "arguments": {"a": 40, "b": 2}})
    total = 40 + 2
    yield await event("tool_completed", {"tool": "add", "status": "succeeded", "result": total})
    output = f"The sum is {total}."
    await database.execute("UPDATE runs SET state = 'succeeded', output = ? WHERE run_id = ?", (output, run))
    yield await event("agent_completed", {"status": "succeeded", "output": output})


if __name__ == "__main__":
    uvicorn.run(make_app(sys.argv[2], sys.argv[3]), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
