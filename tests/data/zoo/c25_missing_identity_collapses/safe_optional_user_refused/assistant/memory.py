import redis.asyncio as redis
from flask import Flask, Response

from .identity import SignInFirst, user_id

app = Flask(__name__)
store = redis.Redis(decode_responses=True)


async def remember(headers: dict[str, str], text: str) -> list[str]:
    try:
        key = f"memory:{user_id(headers)}"
    except SignInFirst:
        return []
    await store.rpush(key, text)
    return await store.lrange(key, 0, -1)


@app.get("/health")
def health():
    return Response("ok")
