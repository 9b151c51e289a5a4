"""Stands in for Celery: one object for each task, called in the process that delays it."""


class Context:
    """What a task knows of the call that it is handling."""

    def __init__(self, headers=None):
        self.headers = headers or {}


class Task:
    def __init__(self, function, bind, name):
        self._function, self._bind, self.name = function, bind, name
        self.request = Context()

    def __call__(self, *args, **kwargs):
        return self._function(self, *args, **kwargs) if self._bind else self._function(*args, **kwargs)

    def apply_async(self, args=(), kwargs=None, headers=None):
        self.request = Context(headers)
        return self(*args, **(kwargs or {}))

    def delay(self, *args, **kwargs):
        return self.apply_async(args, kwargs)


class Celery:
    def __init__(self, main, broker=None, backend=None):
        self.main = main

    def task(self, function=None, *, base=Task, bind=False, name=None):
        def wrap(function):
            return base(function, bind, name or function.__name__)

        return wrap(function) if function else wrap


def shared_task(function=None, *, bind=False, name=None):
    return Celery("shared").task(function, bind=bind, name=name)
