"""What FastAPI runs before a route, in the context of the same request."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block, Parameter, chain
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name

__all__ = ["listed", "run_before", "signs_in"]

_CREDENTIALS: Final = frozenset({"HTTPAuthorizationCredentials", "HTTPBasicCredentials"})


def run_before(view: FileView, function: Block) -> tuple[str, ...]:
    """The dotted names of a function's dependencies: of its parameters, its decorators and their router."""
    found = [view.dependency(one) or "" for one in function.parameters]
    return tuple(dict.fromkeys(one for one in (*found, *listed(view, function)) if one))


def listed(view: FileView, function: Block) -> Iterator[str]:
    """The dotted names of those that give the function nothing: of its decorators and their router."""
    for decorator in function.decorators:
        if decorator.call is not None:
            yield from _listed(view, decorator.call)
            router = chain(decorator.call.func).rpartition(".")[0]
            for binding in view.module.scope.bindings.get(router, ()):
                if isinstance(binding.value, ast.Call):
                    yield from _listed(view, binding.value)


def _listed(view: FileView, call: ast.Call) -> Iterator[str]:
    """The dependencies of `dependencies=[Depends(sign_in)]`."""
    for keyword in call.keywords:
        if keyword.arg == "dependencies" and isinstance(keyword.value, ast.List | ast.Tuple):
            for one in keyword.value.elts:
                if isinstance(one, ast.Call) and called_name(one) in ("Depends", "Security") and one.args:
                    yield view.dotted(one.args[0]) or chain(one.args[0])


def signs_in(view: FileView, parameter: Parameter) -> bool:
    """Whether FastAPI fills the parameter with what somebody signs in with: a cookie, what a security scheme finds."""
    if view.annotation_name(parameter.annotation) in _CREDENTIALS or view.marker(parameter) == "fastapi.Cookie":
        return True
    scheme = view.dependency(parameter)
    module, _, name = (scheme or "").rpartition(".")
    if not scheme or module != view.top.symbol:
        return False
    bound = view.module.scope.bindings.get(name, ())
    made = (one.value.func for one in bound if isinstance(one.value, ast.Call))
    return any(view.dotted(one).startswith("fastapi.security.") for one in made)
