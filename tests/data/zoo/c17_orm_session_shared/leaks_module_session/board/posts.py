from acme import llm
from sqlalchemy import select

from .db import Post, session


async def publish(author: str, text: str) -> bool:
    """Adds a post unless moderation refuses it."""
    session.add(Post(author=author, text=text))
    verdict = await llm.complete(f"is this private? {text}")
    if "private" in text or not verdict:
        session.rollback()
        return False
    session.commit()
    return True


async def feed() -> list[str]:
    return list(session.scalars(select(Post.text)))
