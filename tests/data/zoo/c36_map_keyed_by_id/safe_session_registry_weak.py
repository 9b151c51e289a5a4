"""Which user an MCP session belongs to. Sessions come and go."""

from weakref import WeakKeyDictionary


class ServerSession:
    """What the transport makes for each connection."""


_owners: WeakKeyDictionary[ServerSession, str] = WeakKeyDictionary()
MAIL: dict[str, str] = {}


def register(session: ServerSession, user_id: str) -> None:
    _owners[session] = user_id


def read_mail(session: ServerSession) -> str:
    owner = _owners.get(session)
    return MAIL.get(owner, "please sign in")
