"""A support bot whose system prompt is the start of every conversation."""

from acme import llm
from acme.auth import User, current_user
from fastapi import APIRouter, Body, Depends, FastAPI

SYSTEM_MESSAGES = [
    {"role": "system", "content": "You are the support bot of a book shop."},
    {"role": "system", "content": "Be short."},
]

router = APIRouter()


def opening(language: str | None) -> list[dict[str, str]]:
    messages = [*SYSTEM_MESSAGES]
    if language:
        messages = messages + [{"role": "system", "content": f"Answer in {language}."}]
    return messages


@router.post("/chat")
async def chat(
    text: str = Body(embed=True),
    language: str | None = Body(default=None, embed=True),
    user: User = Depends(current_user),
):
    messages = opening(language)
    messages.append({"role": "user", "content": f"{user.id}: {text}"})
    return {"reply": await llm.complete(messages)}


app = FastAPI()
app.include_router(router)
