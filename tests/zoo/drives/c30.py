"""Something is prepared for both users in one loop, and done after the loop."""

from __future__ import annotations

from tests.zoo.stage import Stage

__all__ = ["digests", "fanout"]


async def digests(stage: Stage) -> tuple[str, str]:
    mailer = stage.module.Mailer()
    await stage.module.send_digests(mailer, {"alice": stage.alice.canary, "bob": stage.bob.canary})
    return mailer.sent["alice"], mailer.sent["bob"]


async def fanout(stage: Stage) -> tuple[str, str]:
    inbox = stage.load("fanout.inbox").Inbox
    inboxes = {"alice": inbox(), "bob": inbox()}
    await stage.module.answer_all({"alice": stage.alice.canary, "bob": stage.bob.canary}, inboxes)
    return str(inboxes["alice"].messages), str(inboxes["bob"].messages)
