import redis.asyncio as redis
from flask import Flask, Response

from .identity import user_id

app = Flask(__name__)
store = redis.Redis(decode_responses=True)


async def remember(headers: dict[str, str], text: str) -> list[str]:
    key = f"memory:{user_id(headers)}"
    await store.rpush(key, text)
    return await store.lrange(key, 0, -1)


@app.get("/health")
def health():
    return Response("ok")
