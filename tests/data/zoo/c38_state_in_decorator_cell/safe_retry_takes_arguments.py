"""Tries a tool again when the service was away."""

import functools

import outside


class Away(Exception):
    pass


def retried(times: int):
    def decorate(function):

        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            call = {"args": args, "kwargs": kwargs}
            for attempt in range(times):
                try:
                    return await function(*call["args"], **call["kwargs"])
                except Away:
                    await outside.call()
            raise Away

        return wrapper

    return decorate


class Mail:
    def __init__(self):
        self.sent: list[tuple[str, str]] = []
        self.away = 1

    async def send(self, to: str, text: str) -> None:
        if self.away:
            self.away -= 1
            raise Away
        self.sent.append((to, text))


mail = Mail()


@retried(times=3)
async def send_summary(to: str, text: str) -> str:
    await mail.send(to, text)
    return f"sent to {to}: {text}"
