"""Calls functions of another code base with those of the values at hand that they have parameters for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import CodeType, CoroutineType, FunctionType, MappingProxyType
from typing import Any, Final, NamedTuple

__all__ = [
    "Parameters",
    "call_in_order",
    "call_known",
    "known_arguments",
    "parameters_of",
    "plain_parameters",
    "settled",
]

SYNONYMS: Final = MappingProxyType(
    {
        "metadata": "context",
        "user_context": "context",
        "execution_context": "context",
        "user_execution_context": "context",
        "bridge": "websocket_bridge",
        "tool": "tool_name",
        "agent": "agent_name",
        "arguments": "parameters",
        "tool_args": "parameters",
        "thought": "reasoning",
        "step": "step_number",
        "duration_ms": "execution_time_ms",
        "input": "message",
        "user_input": "message",
        "user_message": "message",
        "user_request": "message",
        "prompt": "message",
        "query": "message",
    }
)
"""What the same value is called elsewhere. A function gets a value by its own name first, then by these."""
UNLIMITED: Final = 1_000


class Parameters(NamedTuple):
    """What a function can be given, without its `self`."""

    positional_only: tuple[str, ...]
    by_name: tuple[str, ...]
    required: tuple[str, ...]
    most: int
    """How many values it takes by position; `UNLIMITED` or more with `*args`."""
    any_name: bool
    """Whether it has `**kwargs`."""


def parameters_of(function: Callable[..., Any]) -> Parameters:
    """The parameters of any callable; raises `TypeError` or `ValueError` when Python cannot tell."""
    if (plain := plain_parameters(function)) is not None:
        names, count = plain
        return Parameters((), names, names[:count], len(names), any_name=False)
    only: list[str] = []
    named: list[str] = []
    required: list[str] = []
    most, any_name = 0, False
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            most += UNLIMITED
        elif parameter.kind is parameter.VAR_KEYWORD:
            any_name = True
        else:
            (only if parameter.kind is parameter.POSITIONAL_ONLY else named).append(name)
            most += parameter.kind is not parameter.KEYWORD_ONLY
            if parameter.default is parameter.empty:
                required.append(name)
    return Parameters(tuple(only), tuple(named), tuple(required), most, any_name)


def plain_parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], int] | None:
    """The names of a Python function's parameters and how many are required; None when it takes a closer look.

    A fiftieth of what `inspect.signature` takes: it is asked for every event, and nothing here may be remembered.
    """
    plain = getattr(function, "__func__", function)
    if type(plain) is not FunctionType or plain.__dict__:  # which may say what it wraps
        return None
    code: CodeType = plain.__code__
    if code.co_flags & (CO_VARARGS | CO_VARKEYWORDS) or code.co_posonlyargcount or code.co_kwonlyargcount:
        return None
    names = code.co_varnames[plain is not function : code.co_argcount]
    return names, len(names) - len(plain.__defaults__ or ())


def call_known(function: Callable[..., Any], known: Mapping[str, Any], what: str) -> Any:
    """Call the function with its `known_arguments`."""
    values, keywords = known_arguments(function, known, what)
    return function(*values, **keywords)


def known_arguments(
    function: Callable[..., Any], known: Mapping[str, Any], what: str
) -> tuple[Sequence[Any], dict[str, Any]]:
    """The `known` values that the function names as parameters; all of them when it has `*args` or `**kwargs`.

    Raises `TypeError`, which names `what`, when it requires something else.
    """
    if (plain := plain_parameters(function)) is not None:
        names, required = plain
        keywords = {name: known[name] for name in names if name in known}
        if len(keywords) == len(names):
            return (), keywords
        for position, name in enumerate(names):
            if name not in keywords and (position < required or name in SYNONYMS):
                break
        else:
            return (), keywords
    parameters = parameters_of(function)
    if parameters.most >= UNLIMITED and not parameters.any_name:
        return tuple(known.values()), {}
    keys: dict[str, str] = {}
    for name in parameters.by_name:
        if key := name if name in known else _key(name, known):
            keys[name] = key
    first = {name: key for name in parameters.positional_only if (key := _key(name, known))}
    if unknown := [name for name in parameters.required if name not in keys and name not in first]:
        raise TypeError(
            f"{what} requires {', '.join(sorted(unknown))}, which carrel does not know; it gives {', '.join(known)}"
        )
    keywords = {name: known[key] for name, key in keys.items()}
    if parameters.any_name:
        taken = {*keys.values(), *first.values()}
        keywords.update((name, value) for name, value in known.items() if name not in taken)
    return [known[key] for key in first.values()], keywords


def _key(name: str, known: Mapping[str, Any]) -> str | None:
    if name in known:
        return name
    synonym = SYNONYMS.get(name)
    return synonym if synonym in known else None


def call_in_order(function: Callable[..., Any], *values: Any) -> Any:
    """Call the function with as many of the values as it takes by position."""
    return function(*values[: parameters_of(function).most])


async def settled(value: Any) -> Any:
    """The value, awaited when it has to be."""
    return await value if type(value) is CoroutineType or inspect.isawaitable(value) else value
