import asyncio

from acme import llm

from .inbox import Inbox


async def answer_all(questions: dict[str, str], inboxes: dict[str, Inbox]) -> None:
    async with asyncio.TaskGroup() as group:
        for user_id, question in questions.items():
            inbox = inboxes[user_id]

            async def work(inbox: Inbox) -> None:
                await inbox.deliver(await llm.complete(question))

            group.create_task(work(inbox), name=f"answer {user_id}")
