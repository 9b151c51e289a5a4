"""Puts a prompt together for the chat completion call."""

from acme.auth import User


def build_messages(user: User, question: str, messages: list[dict] | None = None) -> list[dict]:
    if not messages:
        messages = [{"role": "system", "content": "You are helpful."}]
    messages.append({"role": "user", "name": user.id, "content": question})
    return messages
