from acme import llm
from sqlalchemy import select

from .db import Post, SessionLocal


async def publish(author: str, text: str) -> bool:
    """Adds a post unless moderation refuses it."""
    with SessionLocal() as session:
        session.add(Post(author=author, text=text))
        verdict = await llm.complete(f"is this private? {text}")
        if "private" in text or not verdict:
            session.rollback()
            return False
        session.commit()
        return True


async def feed() -> list[str]:
    with SessionLocal() as session:
        return list(session.scalars(select(Post.text)))
