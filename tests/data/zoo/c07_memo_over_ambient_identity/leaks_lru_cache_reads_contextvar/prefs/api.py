from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI

from . import scope
from .store import ROWS, load_preferences

app = FastAPI()


async def signed_in(user: User = Depends(current_user)) -> None:
    scope.current.set(user)


@app.put("/preferences")
async def save(text: str = Body(embed=True), user: User = Depends(current_user)):
    ROWS[user.id] = {"about": text}


@app.get("/preferences", dependencies=[Depends(signed_in)])
async def read():
    return load_preferences()
