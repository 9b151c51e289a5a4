from sqlalchemy import select

from .models import Note, SessionLocal

_statements: dict[str, object] = {}


def _statement(name: str, build):
    """Building a statement costs more than running it."""
    if name not in _statements:
        _statements[name] = build()
    return _statements[name]


def notes_of(owner: str) -> list[str]:
    statement = _statement("notes_of", lambda: select(Note.text).where(Note.owner == owner))
    with SessionLocal() as session:
        return list(session.scalars(statement))


def add(owner: str, text: str) -> None:
    with SessionLocal.begin() as session:
        session.add(Note(owner=owner, text=text))
