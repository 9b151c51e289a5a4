from .auth import get_access_token

MAILBOX: dict[str, str] = {}


async def read_mail() -> str:
    return MAILBOX.get(get_access_token(), "nothing")
