import asyncio

from sqlalchemy import create_engine, event
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    mapped_column,
    scoped_session,
    sessionmaker,
    with_loader_criteria,
)
from sqlalchemy.pool import StaticPool

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
Session = scoped_session(sessionmaker(engine), scopefunc=asyncio.current_task)


class Base(DeclarativeBase):
    pass


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    text: Mapped[str]


@event.listens_for(Session, "do_orm_execute")
def only_own_rows(state):
    tenant = state.session.info.get("tenant")
    if state.is_select and tenant:
        state.statement = state.statement.options(with_loader_criteria(Invoice, Invoice.tenant == tenant))


Base.metadata.create_all(engine)
