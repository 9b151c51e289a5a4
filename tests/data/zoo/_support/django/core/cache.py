"""Stands in for Django's cache: the local-memory backend."""


class _Cache:
    def __init__(self):
        self._kept = {}

    def get(self, key, default=None):
        return self._kept.get(key, default)

    def set(self, key, value, timeout=300):
        self._kept[key] = value

    def get_or_set(self, key, default, timeout=300):
        if key not in self._kept:
            self._kept[key] = default() if callable(default) else default
        return self._kept[key]


cache = _Cache()
