"""A decorator that remembers in its closure what one call was about."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.data_conditions import WrapsArguments
from carrel.audit.file_view import FileView
from carrel.audit.held import is_in_finally
from carrel.audit.mutations import Mutation
from carrel.audit.origins import identities, is_fixed, parameters_in
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import WrapsIdentity
from carrel.findings import RuleInfo

__all__ = ["DecoratorCellState"]

_ADDS: Final = frozenset({"append", "appendleft", "extend", "insert", "update", "add"})
_RECEIVERS: Final = frozenset({"self", "cls"})
"""What a method is called on is no argument of one call."""
_OF_A_REQUEST: Final = frozenset({"send", "receive", "scope"})
"""What ASGI hands over for each request: what wraps `send` is new for each, and no decorator."""


class DecoratorCellState:
    """`nonlocal user` in the wrapper that a decorator puts around every view."""

    info = RuleInfo(
        rule="decorator-cell-state",
        code="CAR038",
        severity="error",
        title="A decorator keeps what one call was about",
        why="A decorator runs once for each function that it decorates, so a variable of it is one for all calls. "
        "Another user's call finds what this one left there.",
        fix="Make it a local of the wrapper; keep only what is under a key of the user.",
        page=rule_page("decorator-cell-state"),
        leak_classes=(38,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        found: dict[Block, Candidate] = {}
        for mutation in view.mutations:
            cell = _cell(view, mutation)
            wrapper = mutation.block
            if cell is None or _is_balanced(view, mutation):
                continue
            if not _is_wrapper(wrapper) and not _is_wrapping_object(view, wrapper):
                continue
            told = [text for value in mutation.values for text in identities(view, value, wrapper)
                    if not _is_of_outer(wrapper, text)]  # fmt: skip
            passed = [name for value in mutation.values for name in parameters_in(view, value, wrapper)
                      if name not in _RECEIVERS]  # fmt: skip
            made = any(_calls_decorated(value, wrapper) for value in mutation.values)
            # Value and arguments of one call may be kept in several variables: once is enough.
            if (
                not (told or ((passed or made) and wrapper not in found))
                or _is_entry(mutation, cell)
                or _is_of_keys(view, mutation)
            ):
                continue
            if _is_given_out(view, wrapper, cell, mutation):
                found[wrapper] = self._candidate(view, mutation, cell, told, passed)
        yield from found.values()

    def _candidate(
        self, view: FileView, mutation: Mutation, cell: str, told: list[str], passed: list[str]
    ) -> Candidate:
        wrapper = mutation.block
        what = next(iter((*told, *passed)), "the decorated function")
        message = f"`{cell}` keeps what `{what}` gave in one call, and every call of `{wrapper.name}` shares it"
        named = any((one := wrapper.parameter(name)) is not None and not one.kind.startswith("*") for name in passed)
        decorator = _decorator(wrapper)
        # Of a class, its objects are what stands behind the `@`.
        symbol = decorator.class_.symbol if decorator.class_ is not None else decorator.symbol
        # A function that is made and handed to something else, and is put around nothing, is no wrapper.
        around = wrapper.has_decorator("wraps") or wrapper.class_ is not None
        wraps = () if named and around else (WrapsArguments(symbol),)
        decorates = WrapsIdentity(symbol)
        grades: tuple[Grade, ...] = (Grade("error"),) if told else (Grade("error", (decorates,)),)
        if passed and not told:
            grades = (*grades, Grade("warning", wraps), Grade("info"))
        if not _is_for_all(view, wrapper, cell):
            grades = (Grade("info"),)
        return view.candidate(self.info, mutation.node, message, block=wrapper, grades=grades)


def _cell(view: FileView, mutation: Mutation) -> str | None:
    """The variable of the decorator that is changed, when it is one for all calls."""
    if mutation.kind == "rebind":
        is_outer = mutation.name in mutation.block.scope.nonlocals and not _is_of_one_call(
            mutation.block, mutation.name
        )
        return mutation.name if is_outer else None
    if mutation.kind == "attribute" and _is_of_decorator(mutation):
        return f"{ast.unparse(mutation.target)}.{mutation.name}"
    if mutation.removes or mutation.kind not in ("item", "method", "augmented"):
        return None
    if mutation.kind == "method" and mutation.name not in _ADDS:
        return None
    if not all(is_fixed(view, key, mutation.block) for key in mutation.keys):
        return None
    for access in mutation.accesses:
        if mutation.block.name == "__call__" and access.kind == "self" and len(access.steps) == 1:
            return ast.unparse(mutation.target)
        owner = access.block if access.kind == "cell" and "()" not in access.steps else None
        if owner is not None and not _is_wrapper(owner):
            kinds = {one.kind for one in owner.scope.bindings.get(access.name, ())}
            # What the decorator is handed, or imports, is not its own.
            return None if kinds & {"parameter", "import", "from_import"} else access.name
    return None


def _is_wrapping_object(view: FileView, block: Block) -> bool:
    """Whether the function is the `__call__` of an object that is made with a function and calls it: `@Step`."""
    owner = block.class_
    if owner is None or block.name != "__call__":
        return False
    called = {call.func.attr for call in block.nodes(ast.Call) if isinstance(call.func, ast.Attribute)}
    return any(
        mutation.kind == "attribute" and mutation.name in called and mutation.block.is_initializer
        and any(isinstance(one, ast.Name) and mutation.block.parameter(one.id) is not None for one in mutation.values)
        for mutation in view.mutations
        if mutation.block.class_ is owner
    )  # fmt: skip


def _is_of_decorator(mutation: Mutation) -> bool:
    """Whether a wrapper keeps what the decorated function gave on the decorator, an object: `self.value = …`."""
    outer = mutation.block.parent
    if outer is None or outer.name != "__call__" or outer.class_ is None or not _is_wrapper(mutation.block):
        return False
    is_object = isinstance(mutation.target, ast.Name) and mutation.target.id == outer.receiver
    return is_object and any(_calls_decorated(value, mutation.block) for value in mutation.values)


def _is_wrapper(block: Block) -> bool:
    """Whether the function is what a decorator puts in place of the decorated one."""
    outer = block.parent
    if outer is None or outer.kind != "function":
        return False
    given = _gives_back(outer, block)
    names = {one.name for one in outer.parameters if one.name not in _OF_A_REQUEST}
    calls = any(isinstance(call.func, ast.Name) and call.func.id in names for call in block.nodes(ast.Call))
    return (given and calls) or block.has_decorator("wraps")


def _is_of_one_call(inner: Block, name: str) -> bool:
    """Whether the variable belongs to a wrapper around the function, and so is new for each call."""
    owner = inner.parent
    while owner is not None and not (owner.kind == "function" and name in owner.scope.bindings):
        owner = owner.parent
    return owner is not None and _is_wrapper(owner)


def _is_of_outer(wrapper: Block, told: str) -> bool:
    """Whether it was said when the wrapper was made: `user_email` of `def checker(user_email)` is no call's own."""
    name = told.partition(".")[0]
    outer = wrapper.parent
    while outer is not None and name not in wrapper.scope.bindings:
        if outer.parameter(name) is not None:
            return True
        outer = outer.parent
    return False


def _is_for_all(view: FileView, wrapper: Block, cell: str) -> bool:
    """Whether the variable is the decorator's, or of what makes decorators or an application, and not of a task that
    puts the wrapper around its own tools."""
    inner = wrapper
    while inner.parent is not None and cell not in inner.parent.scope.bindings:
        inner = inner.parent
    owner = inner.parent
    if owner is None or inner is wrapper or _gives_back(owner, inner):
        return True
    return any(
        one.symbol.startswith(f"{owner.symbol}.") and view.entry_point(one) is not None for one in view.functions
    )


def _gives_back(outer: Block, inner: Block) -> bool:
    return any(isinstance(one.value, ast.Name) and one.value.id == inner.name for one in outer.nodes(ast.Return))


def _is_balanced(view: FileView, mutation: Mutation) -> bool:
    """Whether the same call takes out in a `finally` what it puts in: `running.add(id(self))`."""
    target, stored = ast.unparse(mutation.target), [ast.unparse(one) for one in (*mutation.keys, *mutation.values)]
    return any(
        other.block is mutation.block and other.removes and is_in_finally(view, other.node)
        and ast.unparse(other.target) == target
        and any(ast.unparse(one) in stored for one in (*other.keys, *other.values))
        for other in view.mutations
    )  # fmt: skip


def _is_entry(mutation: Mutation, cell: str) -> bool:
    """Whether what is kept says itself what it was asked with, `entries.append((args, kwargs, result))`, and is looked
    for by that."""
    searched = {ast.unparse(one.iter) for one in mutation.block.nodes(ast.For, ast.comprehension)}
    if not any(cell in one for one in searched) or not any(mutation.block.nodes(ast.Compare)):
        return False
    names = {one.name for one in mutation.block.parameters}
    tuples = (one for value in mutation.values for one in ast.walk(value) if isinstance(one, ast.Tuple))
    return any(len({isinstance(part, ast.Name) and part.id in names for part in one.elts}) == 2 for one in tuples)


def _is_of_keys(view: FileView, mutation: Mutation) -> bool:
    """Whether of the call it only keeps the key under which its value is kept elsewhere: the order of a cache."""
    keys = {
        key.id for one in view.mutations_in(mutation.block) if one is not mutation and one.kind == "item"
        for key in one.keys if isinstance(key, ast.Name)
    }  # fmt: skip
    used = [one for value in mutation.values for one in ast.walk(value) if isinstance(one, ast.Name)]
    return any(one.id in keys for one in used) and not any(
        one.id not in keys and parameters_in(view, one, mutation.block) for one in used
    )


def _is_given_out(view: FileView, wrapper: Block, cell: str, mutation: Mutation) -> bool:
    """Whether the wrapper reads the variable again, otherwise than to count on or to compare it with something."""
    own = {id(one) for one in ast.walk(mutation.node)}
    handed = {one.id for one in wrapper.nodes(ast.Name)}
    for other in view.functions:
        # Or hands on a function that reads it: `view(granted)`.
        is_handed = other.parent is wrapper.parent and other is not wrapper and other.name in handed
        if is_handed and any(one.id == cell for node in other.nodes(ast.Return) for one in _names(node.value)):
            return True
    return any(
        ast.unparse(one) == cell and isinstance(one.ctx, ast.Load) and id(one) not in own and not _is_tested(view, one)
        for one in wrapper.nodes(ast.Name, ast.Attribute)
    )


def _names(value: ast.expr | None) -> Iterator[ast.Name]:
    if value is not None:
        yield from (one for one in ast.walk(value) if isinstance(one, ast.Name))


def _is_tested(view: FileView, name: ast.Name | ast.Attribute) -> bool:
    """Whether it is compared with something, `len(kept) == len(args)`, or asked whether it is there, `if kept:`."""
    child: ast.AST = name
    called = False
    for around in view.ancestors(name):
        if isinstance(around, ast.Compare):
            return True
        if isinstance(around, ast.stmt | ast.IfExp):
            return not called and getattr(around, "test", None) is child
        called = called or isinstance(around, ast.Call)
        child = around
    return False


def _calls_decorated(value: ast.expr, wrapper: Block) -> bool:
    """Whether the value is what the decorated function gives: `value = view(*args)`."""
    made = value.value if isinstance(value, ast.Await) else value
    outer = wrapper.parent
    return (
        isinstance(made, ast.Call) and isinstance(made.func, ast.Name)
        and outer is not None and outer.parameter(made.func.id) is not None
    )  # fmt: skip


def _decorator(wrapper: Block) -> Block:
    """The outermost function around the wrapper: what stands behind the `@`."""
    found = wrapper
    while found.parent is not None and found.parent.kind == "function":
        found = found.parent
    return found
