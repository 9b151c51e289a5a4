from acme import llm
from sqlalchemy import select

from .db import Invoice, Session


async def overview(tenant: str) -> str:
    Session().info["tenant"] = tenant
    heading = await llm.complete("a heading")
    rows = Session.scalars(select(Invoice.text)).all()
    Session.remove()
    return f"{heading}: {', '.join(rows)}"


def add(tenant: str, text: str) -> None:
    Session.add(Invoice(tenant=tenant, text=text))
    Session.commit()
