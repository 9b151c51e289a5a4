"""Callers by their token, and only what is theirs: custom authentication as LangGraph documents it."""

import os
from typing import Any

import jwt
from langgraph_sdk import Auth

__all__ = ["auth"]

auth = Auth()


@auth.authenticate
async def authenticate(authorization: str | None) -> str:
    try:
        token = (authorization or "").removeprefix("Bearer ")
        return str(jwt.decode(token, os.environ["BENCH_SECRET"], algorithms=["HS256"], audience="bench-os")["sub"])
    except jwt.InvalidTokenError as error:
        raise Auth.exceptions.HTTPException(status_code=401, detail="Invalid token") from error


@auth.on
async def own(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> dict[str, str]:
    owner = {"owner": ctx.user.identity}
    value.setdefault("metadata", {}).update(owner)
    return owner
