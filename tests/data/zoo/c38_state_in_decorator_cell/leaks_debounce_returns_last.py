"""Spares a costly function calls that follow each other closely."""

import functools
import time


def debounced(seconds: float):
    def decorate(function):
        last_call, last_result = float("-inf"), None

        @functools.wraps(function)
        def wrapper(user_id: str):
            nonlocal last_call, last_result
            if time.monotonic() - last_call > seconds:
                last_call, last_result = time.monotonic(), function(user_id)
            return last_result

        return wrapper

    return decorate


USAGE: dict[str, str] = {}


@debounced(seconds=3600)
def usage(user_id: str) -> str:
    return f"{user_id} has used {USAGE.get(user_id)}"
