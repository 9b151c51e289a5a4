import secrets
from dataclasses import dataclass, field


@dataclass
class Session:
    id: str = field(default_factory=secrets.token_hex)
    owner: str = ""
    notes: list[str] = field(default_factory=list)


class Sessions:
    def __init__(self):
        self._by_id: dict[str, Session] = {}

    def open(self, owner: str = "") -> Session:
        session = Session(owner=owner)
        self._by_id[session.id] = session
        return session

    def find(self, session_id: str) -> Session | None:
        return self._by_id.get(session_id)
