"""Conversation memory for the assistant."""

from collections import defaultdict

turns: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
