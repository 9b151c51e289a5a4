"""What FastAPI runs before a route, in the context of the same request."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from carrel.audit.blocks import Block, chain
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name

__all__ = ["run_before"]


def run_before(view: FileView, function: Block) -> tuple[str, ...]:
    """The dotted names of a function's dependencies: of its parameters, its decorators and their router."""
    found = [view.dependency(one) or "" for one in function.parameters]
    for decorator in function.decorators:
        if decorator.call is not None:
            found += _listed(view, decorator.call)
            router = chain(decorator.call.func).rpartition(".")[0]
            for binding in view.module.scope.bindings.get(router, ()):
                if isinstance(binding.value, ast.Call):
                    found += _listed(view, binding.value)
    return tuple(dict.fromkeys(one for one in found if one))


def _listed(view: FileView, call: ast.Call) -> Iterator[str]:
    """The dependencies of `dependencies=[Depends(sign_in)]`."""
    for keyword in call.keywords:
        if keyword.arg == "dependencies" and isinstance(keyword.value, ast.List | ast.Tuple):
            for one in keyword.value.elts:
                if isinstance(one, ast.Call) and called_name(one) in ("Depends", "Security") and one.args:
                    yield view.dotted(one.args[0])
