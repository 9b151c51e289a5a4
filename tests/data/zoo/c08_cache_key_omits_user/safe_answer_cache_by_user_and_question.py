"""Answers over the user's own documents; equal questions are answered from Redis."""

import hashlib

import redis.asyncio as redis
from acme import llm
from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI

app = FastAPI()
cache = redis.Redis(host="cache")
DOCUMENTS: dict[str, str] = {}


@app.put("/document")
async def upload(text: str = Body(embed=True), user: User = Depends(current_user)):
    DOCUMENTS[user.id] = text


@app.post("/ask")
async def ask(text: str = Body(embed=True), user: User = Depends(current_user)):
    digest = hashlib.sha256(text.strip().lower().encode()).hexdigest()
    key = f"answer:{user.id}:{digest}"
    cached = await cache.get(key)
    if cached is not None:
        return {"answer": cached.decode(), "cached": True}
    answer = await llm.complete(f"{DOCUMENTS.get(user.id, '')}\n\n{text}")
    await cache.set(key, answer, ex=3600)
    return {"answer": answer, "cached": False}
