"""Carries a tool's output to the browser."""


class Bridge:
    _send = None

    def attach(self, send) -> None:
        self._send = send

    async def output(self, text: str) -> None:
        if self._send:
            await self._send(text)
