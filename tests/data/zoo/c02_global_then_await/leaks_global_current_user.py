"""Notes with an assistant; the middleware knows who is calling."""

import acme.auth
from acme import llm
from fastapi import FastAPI, Request

app = FastAPI()
current_user = None


@app.middleware("http")
async def authenticate(request: Request, call_next):
    global current_user
    current_user = acme.auth.verify(request.headers.get("authorization"))
    return await call_next(request)


@app.post("/summary")
async def summary(request: Request):
    body = await request.json()
    text = await llm.complete(body["text"])
    return {"for": current_user.email, "summary": text, "signature": signature(current_user)}


SIGNATURES = {}


@app.put("/signature")
async def set_signature(request: Request):
    user = acme.auth.verify(request.headers["authorization"])
    SIGNATURES[user.id] = (await request.json())["text"]


def signature(user) -> str:
    return SIGNATURES.get(user.id, "")
