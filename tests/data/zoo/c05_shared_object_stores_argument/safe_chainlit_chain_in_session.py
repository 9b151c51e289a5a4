"""A Chainlit chat that remembers the uploaded contract."""

import chainlit as cl
from acme import llm


class ContractChain:
    def __init__(self):
        self.contract = None

    def load(self, text: str) -> None:
        self.contract = text

    async def answer(self, question: str) -> str:
        thought = await llm.complete(question)
        return f"{thought}\n{self.contract}"


@cl.on_chat_start
async def start():
    chain = ContractChain()
    chain.load(cl.user_session.get("contract"))
    cl.user_session.set("chain", chain)


@cl.on_message
async def main(message: cl.Message):
    chain = cl.user_session.get("chain")
    reply = await chain.answer(message.content)
    await cl.Message(content=reply).send()
