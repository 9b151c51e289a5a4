"""Stands in for Streamlit: a session for each browser, and caches that all sessions share."""

import functools
from contextvars import ContextVar

_session = ContextVar("session")


class _SessionState:
    def __getitem__(self, key):
        return _session.get()[key]

    def __setitem__(self, key, value):
        _session.get()[key] = value

    def __contains__(self, key):
        return key in _session.get()

    def get(self, key, default=None):
        return _session.get().get(key, default)


session_state = _SessionState()


def open_session(**values):
    """What a browser does when it opens the page."""
    _session.set(values)


def _memo(function):
    kept = {}

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        key = (args, tuple(kwargs.items()))
        if key not in kept:
            kept[key] = function(*args, **kwargs)
        return kept[key]

    return wrapper


def cache_data(function=None, *, ttl=None):
    return _memo(function) if function else _memo


def cache_resource(function=None, *, ttl=None):
    return _memo(function) if function else _memo


def title(text):
    pass


def write(text):
    pass
