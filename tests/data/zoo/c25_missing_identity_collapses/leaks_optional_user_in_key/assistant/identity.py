from acme.auth import verify


def user_id(headers: dict[str, str]) -> str | None:
    user = verify(headers.get("Authorization", ""))
    return getattr(user, "id", None)
