"""Sends a letter in the user's name."""

from acme import llm
from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI, Request

app = FastAPI()


async def load_profile(request: Request, user: User = Depends(current_user)):
    body = await request.json()
    request.state.profile = {"name": user.id, "address": body["address"]}


@app.post("/letter", dependencies=[Depends(load_profile)])
async def letter(request: Request, text: str = Body(embed=True), address: str = Body(embed=True)):
    body = await llm.complete(text)
    profile = request.state.profile
    return {"body": body, "sender": f"{profile['name']}, {profile['address']}"}
