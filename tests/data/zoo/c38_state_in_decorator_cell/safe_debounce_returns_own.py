"""Spares a costly function calls that follow each other closely."""

import functools
import time


def debounced(seconds: float):
    def decorate(function):
        last = {}

        @functools.wraps(function)
        def wrapper(user_id: str):
            last_call, last_result = last.get(user_id, (float("-inf"), None))
            if time.monotonic() - last_call > seconds:
                last_result = function(user_id)
                last[user_id] = (time.monotonic(), last_result)
            return last_result

        return wrapper

    return decorate


USAGE: dict[str, str] = {}


@debounced(seconds=3600)
def usage(user_id: str) -> str:
    return f"{user_id} has used {USAGE.get(user_id)}"
