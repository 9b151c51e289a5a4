"""Two users use the program one after another, and neither passes the argument."""

from __future__ import annotations

from tests.zoo.stage import Stage

__all__ = ["ask", "build", "sessions"]


def build(stage: Stage) -> tuple[str, str]:
    user = stage.load("acme.auth").User
    messages = stage.module.build_messages
    return str(messages(user("alice"), stage.alice.canary)), str(messages(user("bob"), stage.bob.canary))


async def ask(stage: Stage) -> tuple[str, str]:
    assistant = stage.module.assistant
    return await assistant.ask("alice", stage.alice.canary), await assistant.ask("bob", stage.bob.canary)


def sessions(stage: Stage) -> tuple[str, str]:
    made = stage.module.TutorSession
    return made("alice").note(stage.alice.canary), made("bob").note(stage.bob.canary)
