"""Remembers what a handler answered, for a while."""

import functools
import time

from starlette.requests import Request


def cached(seconds: float):
    def decorate(handler):
        kept = {}

        @functools.wraps(handler)
        async def wrapper(request: Request):
            key = (request.method, request.url.path, str(request.query_params), request.state.user.id)
            if key in kept and kept[key][0] > time.monotonic():
                return kept[key][1]
            response = await handler(request)
            kept[key] = (time.monotonic() + seconds, response)
            return response

        return wrapper

    return decorate
