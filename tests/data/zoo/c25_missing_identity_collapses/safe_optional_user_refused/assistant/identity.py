from acme.auth import verify


class SignInFirst(Exception):
    pass


def user_id(headers: dict[str, str]) -> str | None:
    user = verify(headers.get("Authorization", ""))
    if user is None:
        raise SignInFirst
    return user.id
