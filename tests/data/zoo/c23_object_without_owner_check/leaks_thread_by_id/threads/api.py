from acme.auth import User, current_user
from fastapi import Body, Depends, FastAPI, HTTPException
from sqlalchemy.orm import Session

from .models import SessionLocal, Thread

app = FastAPI()


async def db():
    with SessionLocal() as session:
        yield session


@app.post("/threads")
async def create(
    title: str = Body(embed=True), user: User = Depends(current_user), session: Session = Depends(db)
):
    thread = Thread(user_id=user.id, title=title)
    session.add(thread)
    session.commit()
    return {"id": thread.id}


@app.get("/threads/{thread_id}")
async def read(thread_id: int, user: User = Depends(current_user), session: Session = Depends(db)):
    thread = session.get(Thread, thread_id)
    if thread is None:
        raise HTTPException(404)
    return {"id": thread.id, "title": thread.title}
