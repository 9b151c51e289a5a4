"""Log fields and the like, for whatever handles the current request."""

from contextvars import ContextVar

from acme import llm
from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI

_context: ContextVar[dict] = ContextVar("context")
app = FastAPI()


def bind(**values) -> None:
    _context.set({**_context.get({}), **values})


def bound(name: str):
    return _context.get()[name]


@app.post("/search")
async def search(text: str = Body(embed=True), user: User = Depends(current_user)):
    bind(user=user.id, query=text)
    terms = await llm.complete("search terms")
    return {"terms": terms, "searched": bound("query")}
