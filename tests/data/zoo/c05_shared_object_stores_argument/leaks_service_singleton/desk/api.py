from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI

from .deps import TICKETS, get_desk
from .service import SupportDesk

app = FastAPI()


@app.put("/ticket")
async def open_ticket(text: str = Body(embed=True), user: User = Depends(current_user)):
    TICKETS[user.id] = text


@app.post("/ask")
async def ask(
    text: str = Body(embed=True), user: User = Depends(current_user), desk: SupportDesk = Depends(get_desk)
):
    return {"answer": await desk.answer(user, text)}
