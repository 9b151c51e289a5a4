"""Conversation memory for the assistant."""

turns: list[dict[str, str]] = []
