"""Signatures as recipes write them: `(registry, bridge, *, context=None)`."""

from __future__ import annotations

import ast
from inspect import Parameter, Signature, _ParameterKind

__all__ = ["read_signature", "signature_of"]


def read_signature(text: str) -> Signature:
    """The signature that a parameter list in parentheses writes; each default is its source text.

    Raises `ValueError` when it is no parameter list.
    """
    try:
        function = ast.parse(f"def f{text.strip()}: ...").body
    except SyntaxError as error:
        raise ValueError(f"{text!r} is no parameter list in parentheses: {error.msg}") from None
    if len(function) != 1 or not isinstance(function[0], ast.FunctionDef) or not text.strip().startswith("("):
        raise ValueError(f"{text!r} is no parameter list in parentheses")
    return signature_of(function[0])


def signature_of(function: ast.FunctionDef | ast.AsyncFunctionDef, *, bound: bool = False) -> Signature:
    """The signature of a function in source code, without annotations; `bound` leaves out the first parameter."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    parameters = []
    for index, (argument, default) in enumerate(zip(positional, [*missing, *arguments.defaults], strict=True)):
        only = index < len(arguments.posonlyargs)
        kind = Parameter.POSITIONAL_ONLY if only else Parameter.POSITIONAL_OR_KEYWORD
        parameters.append(_parameter(argument, kind, default))
    if arguments.vararg is not None:
        parameters.append(_parameter(arguments.vararg, Parameter.VAR_POSITIONAL))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parameters.append(_parameter(argument, Parameter.KEYWORD_ONLY, default))
    if arguments.kwarg is not None:
        parameters.append(_parameter(arguments.kwarg, Parameter.VAR_KEYWORD))
    return Signature(parameters[1:] if bound else parameters)


def _parameter(argument: ast.arg, kind: _ParameterKind, default: ast.expr | None = None) -> Parameter:
    written: object = Parameter.empty if default is None else ast.unparse(default)
    return Parameter(argument.arg, kind, default=written)
