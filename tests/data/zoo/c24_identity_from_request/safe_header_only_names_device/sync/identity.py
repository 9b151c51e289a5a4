from acme.auth import User, verify
from starlette.exceptions import HTTPException
from starlette.requests import Request


def identify(request: Request) -> User:
    """Who is calling."""
    user = verify(request.headers.get("authorization"))
    if user is None:
        raise HTTPException(401)
    request.state.device = request.headers.get("x-on-behalf-of") or user.id
    return User(user.id)
