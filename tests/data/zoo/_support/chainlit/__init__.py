"""Stands in for Chainlit: callbacks, and a session for each browser tab."""

from contextvars import ContextVar

_session = ContextVar("session")
_callbacks = {}


class _UserSession:
    def get(self, key, default=None):
        return _session.get().get(key, default)

    def set(self, key, value):
        _session.get()[key] = value


user_session = _UserSession()


class Message:
    def __init__(self, content, author=None):
        self.content, self.author = content, author

    async def send(self):
        _session.get().setdefault("sent", []).append(self.content)


def on_chat_start(function):
    _callbacks["start"] = function
    return function


def on_message(function):
    _callbacks["message"] = function
    return function


def on_chat_end(function):
    _callbacks["end"] = function
    return function


class Tab:
    """A browser tab, as the driver opens it."""

    def __init__(self, **values):
        self.session = dict(values)

    async def start(self):
        _session.set(self.session)
        await _callbacks["start"]()

    async def say(self, text):
        _session.set(self.session)
        await _callbacks["message"](Message(text))
        return self.session.get("sent", [])

    async def end(self):
        _session.set(self.session)
        await _callbacks["end"]()
