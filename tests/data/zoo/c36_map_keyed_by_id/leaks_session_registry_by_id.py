"""Which user an MCP session belongs to. Sessions come and go."""


class ServerSession:
    """What the transport makes for each connection."""


_owners: dict[int, str] = {}
MAIL: dict[str, str] = {}


def register(session: ServerSession, user_id: str) -> None:
    _owners[id(session)] = user_id


def read_mail(session: ServerSession) -> str:
    owner = _owners.get(id(session))
    return MAIL.get(owner, "please sign in")
