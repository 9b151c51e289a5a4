"""A place to write text to, used again and again."""

import io


class Scratch:
    def __init__(self):
        self._text = io.StringIO()

    def __enter__(self) -> io.StringIO:
        self._text.seek(0)
        return self._text

    def __exit__(self, *exception) -> None:
        self._text.flush()

    def getvalue(self) -> str:
        return self._text.getvalue()
