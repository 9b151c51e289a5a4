"""Remembers what is costly to work out about an object."""

import functools


def memoised(function):
    """Also for objects that cannot be hashed."""
    kept = {}

    @functools.wraps(function)
    def wrapper(subject):
        key = id(subject)
        if key not in kept:
            kept[key] = (subject, function(subject))
        return kept[key][1]

    return wrapper


@memoised
def summary(messages: list[str]) -> str:
    return " | ".join(messages)


def show(messages: list[str]) -> str:
    return summary(messages)
