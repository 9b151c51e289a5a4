"""Shows a user the log of their run."""

import logging

from acme import llm


class ToList(logging.Handler):
    def __init__(self, lines: list[str]):
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


async def run(user_id: str, prompt: str, lines: list[str]) -> None:
    logger = logging.Logger("agent.run", logging.INFO)
    handler = ToList(lines)
    logger.addHandler(handler)
    try:
        logger.info("started")
        answer = await llm.complete(prompt)
        logger.info("answered %s", answer)
    finally:
        logger.removeHandler(handler)
