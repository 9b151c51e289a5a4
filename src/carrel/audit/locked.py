"""Whether a lock is held from where a name of the module is bound to where it was last read."""

from __future__ import annotations

import ast
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.held import held_calls
from carrel.audit.mutations import Mutation

__all__ = ["readers_under_lock"]

_LOCKS: Final = ("asyncio.Lock", "threading.Lock", "threading.RLock", "anyio.Lock", "trio.Lock")


def readers_under_lock(view: FileView, mutation: Mutation) -> tuple[Block, ...] | None:
    """The functions that read what the name is bound to, when the file runs them only in the lock that it is bound in.

    `None` when no lock of the module is held, or something reads the name without it.
    """
    lock = _lock(view, mutation.node, mutation.block)
    if lock is None or mutation.kind != "rebind":
        return None
    readers: list[Block] = []
    pending = [mutation.name]
    while pending:
        name = pending.pop()
        for block in view.blocks:
            for node in block.nodes(ast.Name):
                if node.id != name or not isinstance(node.ctx, ast.Load) or block in readers:
                    continue
                if name != mutation.name and not _is_run_at_once(view, node):
                    return None
                if any(around is lock for around in view.ancestors(node)):
                    continue
                if not _is_plain(view, block) or block is mutation.block:
                    return None
                readers.append(block)
                pending.append(block.name)
    return tuple(readers)


def _lock(view: FileView, node: ast.AST, block: Block) -> ast.With | ast.AsyncWith | None:
    """The statement around the node that holds a lock of the module, one that keeps out others of its kind."""
    names = {one.symbol for one in held_calls(view, _LOCKS) if one.block is view.top}
    for around in view.ancestors(node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            break
        # All tasks of a loop are one thread.
        if isinstance(around, ast.AsyncWith if block.is_async else ast.With) and any(
            view.dotted(item.context_expr) in names for item in around.items
        ):
            return around
    return None


def _is_run_at_once(view: FileView, name: ast.Name) -> bool:
    """Whether the function is called there and its end is waited for, not handed to somebody."""
    call = view.module.parent(name)
    if not isinstance(call, ast.Call) or call.func is not name:
        return False
    called = view.function_named(view.dotted(name))
    return called is not None and (not called.is_async or isinstance(view.module.parent(call), ast.Await))


def _is_plain(view: FileView, block: Block) -> bool:
    """Whether only those run the function who call it by its name, and all of it."""
    is_own = block.kind == "function" and block.parent is view.top and not block.decorators
    return is_own and view.entry_point(block) is None and not any(True for _ in block.nodes(ast.Yield, ast.YieldFrom))
