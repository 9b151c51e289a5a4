"""The account page, behind a CDN."""

from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI, Response

app = FastAPI()
ACCOUNTS: dict[str, str] = {}


@app.put("/account")
async def save(text: str = Body(embed=True), user: User = Depends(current_user)):
    ACCOUNTS[user.id] = text


@app.get("/account")
async def account(response: Response, user: User = Depends(current_user)):
    response.headers["Cache-Control"] = "public, max-age=60"
    return {"user": user.id, "address": ACCOUNTS.get(user.id)}
