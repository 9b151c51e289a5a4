"""Whether a function hands on only what is for one user of all that it is given in turn."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.persons import is_person
from carrel.audit.taint import is_identity_like

__all__ = ["is_sifted"]

_LETS: Final = re.compile(r"(?i)visib|allow|permi|admin|owner|belongs|(?:^|_)(?:for|mine|may|can)(?:_|$)")


def is_sifted(view: FileView, call: ast.Call, block: Block) -> bool:
    """Whether a loop goes through what the call gives, and hands on only what it finds to be for somebody.

    `async for event in bus.events(): if event["owner"] == user.id: yield event`.
    """
    around = view.module.parent(call)
    around = view.module.parent(around) if isinstance(around, ast.Await) else around
    if isinstance(around, ast.Assign) and isinstance(around.targets[0], ast.Name):
        return any(_takes_its_own(loop, around.targets[0].id) for loop in _loops(view, block))
    if not isinstance(around, ast.For | ast.AsyncFor) or call not in ast.walk(around.iter):
        return False
    targets = {one.id for one in ast.walk(around.target) if isinstance(one, ast.Name)}
    skips = any(
        isinstance(one, ast.If) and isinstance(one.body[-1], ast.Continue) and _asks_whose(one.test)
        for one in around.body
    )
    handed = [
        node
        for node in block.nodes(ast.Yield, ast.Call)
        if around in view.ancestors(node) and node is not call and _hands_on(node, targets)
    ]
    return skips or (bool(handed) and all(_is_chosen(view, one, around) for one in handed))


def _loops(view: FileView, block: Block) -> Iterator[ast.While]:
    for one in (block, *(each for each in view.functions if each.parent is block)):
        yield from one.nodes(ast.While)


def _takes_its_own(loop: ast.While, queue: str) -> bool:
    """Whether the loop takes from the queue, and leaves what is not for somebody."""
    takes = any(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in ("get", "get_nowait")
        and isinstance(one.func.value, ast.Name) and one.func.value.id == queue
        for one in ast.walk(loop)
    )  # fmt: skip
    tests = (one for one in ast.walk(loop) if isinstance(one, ast.If)) if takes else ()
    return any(_asks_whose(one.test) for one in tests)


def _hands_on(node: ast.AST, targets: set[str]) -> bool:
    given = [node.value] if isinstance(node, ast.Yield) else getattr(node, "args", [])
    is_handed = isinstance(node, ast.Yield) or isinstance(getattr(node, "func", None), ast.Attribute)
    return is_handed and any(
        isinstance(one, ast.Name) and one.id in targets for each in given if each is not None for one in ast.walk(each)
    )


def _is_chosen(view: FileView, node: ast.AST, loop: ast.AST) -> bool:
    for around in view.ancestors(node):
        if around is loop:
            break
        if isinstance(around, ast.If) and _asks_whose(around.test):
            return True  # or it is a part of the test
    return False


def _asks_whose(test: ast.expr) -> bool:
    """Whether the test looks at somebody: by a name, an attribute, a key, or what it calls."""
    for node in ast.walk(test):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                if is_identity_like(name) or is_person(name) or _LETS.search(name):
                    return True
    return False
