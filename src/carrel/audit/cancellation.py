"""What a cancel reaches, and what is done about it."""

from __future__ import annotations

import ast
from itertools import takewhile

from carrel.audit.blocks import FUNCTIONS, Block
from carrel.audit.file_view import FileView

__all__ = ["catches_cancel", "finally_around", "is_guarded", "shielded"]


def finally_around(view: FileView, call: ast.AST) -> ast.Try | None:
    """The `try` in whose `finally` a call is a statement of its own: it runs whatever has happened before."""
    statement = next((one for one in view.ancestors(call) if isinstance(one, ast.stmt)), None)
    around = view.module.parent(statement) if statement is not None else None
    return around if isinstance(around, ast.Try) and statement in around.finalbody else None


def is_guarded(view: FileView, node: ast.AST, cleanups: frozenset[str]) -> bool:
    """Whether a cancel at the node is noticed: by a handler for everything, or a `finally` that uses a cleanup."""
    child = node
    for around in takewhile(lambda one: not isinstance(one, FUNCTIONS), view.ancestors(node)):
        if isinstance(around, ast.Try) and child in around.body:
            if any(catches_cancel(handler) for handler in around.handlers):
                return True
            cleaned = (one for part in around.finalbody for one in ast.walk(part) if isinstance(one, ast.Attribute))
            if any(one.attr in cleanups for one in cleaned):
                return True
        child = around
    return False


def catches_cancel(handler: ast.ExceptHandler) -> bool:
    """Whether a cancel gets into the handler, which `except OSError` and `except Exception` let pass."""
    caught = ast.unparse(handler.type) if handler.type is not None else "BaseException"
    return "BaseException" in caught or "Cancelled" in caught


def _running(node: ast.expr, function: Block) -> ast.expr:
    """Of a local, the call that it was given: `task = asyncio.create_task(self.turn())`."""
    bound = function.scope.bindings.get(node.id, ()) if isinstance(node, ast.Name) else ()
    return next((one.value for one in bound if one.value is not None), node)


def shielded(view: FileView) -> set[Block]:
    """The functions that only run where a cancel does not reach."""
    by_name = {function.symbol: function for function in view.functions}
    waiting = [
        called
        for function in view.functions
        for call in function.nodes(ast.Call)
        if view.dotted(call.func) == "asyncio.shield"
        for handed in call.args
        for inner in ast.walk(_running(handed, function))
        if isinstance(inner, ast.Call)
        and (called := by_name.get(view.symbol_path(view.access(inner.func, function)))) is not None
    ]
    found: set[Block] = set()
    while waiting:
        function = waiting.pop()
        if function not in found:
            found.add(function)
            for call in function.nodes(ast.Call):
                called = by_name.get(view.symbol_path(view.access(call.func, function)))
                if called is not None:
                    waiting.append(called)
    return found
