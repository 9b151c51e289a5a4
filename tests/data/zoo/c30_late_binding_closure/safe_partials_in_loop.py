"""The evening digest: one mail for each user, sent when the mail server has time."""

from functools import partial

import outside


class Mailer:
    def __init__(self):
        self.sent: dict[str, str] = {}

    async def send(self, to: str, text: str) -> None:
        self.sent[to] = text


async def send_digests(mailer: Mailer, digests: dict[str, str]) -> None:
    jobs = []
    for user_id, digest in digests.items():
        if digest:
            jobs.append((user_id, partial(mailer.send, text=digest)))
    await outside.call()
    for user_id, job in jobs:
        await job(user_id)
