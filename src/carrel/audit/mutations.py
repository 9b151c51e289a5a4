"""The places of a file that change an object in place, or bind a name of an outer scope anew."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from carrel.audit.access import Access, AccessReader
from carrel.audit.blocks import Block

__all__ = ["MUTATORS", "Mutation", "find_mutations"]

MUTATORS: Final = frozenset(
    {"append", "add", "update", "setdefault", "pop", "popitem", "insert", "extend", "remove", "discard", "clear",
     "appendleft", "extendleft", "popleft", "sort", "reverse", "put", "put_nowait", "write", "writelines", "truncate",
     "difference_update", "intersection_update", "symmetric_difference_update", "subtract", "__setitem__",
     "__delitem__", "move_to_end"}
)  # fmt: skip
"""Methods of containers that change them."""
_TAKEN: Final = MappingProxyType(
    {"append": 1, "appendleft": 1, "add": 1, "extend": 1, "extendleft": 1, "insert": 2, "writelines": 1}
)
"""How much they take, none of it by name."""
_GIVE_NOTHING: Final = frozenset({*_TAKEN, "update", "remove", "discard", "clear", "sort", "reverse"})
"""Those that give nothing."""
_REMOVING: Final = frozenset({"pop", "popitem", "popleft", "remove", "discard", "clear", "__delitem__"})


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of one object."""

    kind: Literal["item", "attribute", "method", "augmented", "delete", "rebind"]
    """`x[k] = v`, `x.a = v`, `x.append(v)`, `x += v`, `del x[k]`, or `x = v` after `global x` or `nonlocal x`."""
    node: ast.AST
    """The statement, or the call."""
    block: Block
    target: ast.expr
    """The expression of the object that changes: `x` in all of these."""
    accesses: tuple[Access, ...]
    """What the object may be."""
    name: str = ""
    """The attribute, the method, or the variable that is bound anew."""
    keys: tuple[ast.expr, ...] = ()
    """Under which keys: those on the way to the object, then the one that is stored under."""
    values: tuple[ast.expr, ...] = ()
    """What goes in."""

    @property
    def removes(self) -> bool:
        """Whether it only takes something out."""
        return self.kind == "delete" or (self.kind == "method" and self.name in _REMOVING)

    @property
    def is_other(self) -> bool:
        """Whether it is handed what the container's method of that name does not take: `requests.add(1, labels)`,
        `rows.insert(owner=name, text=text)`."""
        if self.kind != "method" or not isinstance(self.node, ast.Call) or self.name not in _TAKEN:
            return False
        return len(self.node.args) != _TAKEN[self.name] or bool(self.node.keywords)


def find_mutations(blocks: dict[ast.AST, Block], reader: AccessReader) -> tuple[Mutation, ...]:
    """All of a file, block by block."""
    return tuple(
        mutation
        for block in blocks.values()
        for mutation in _in_block(block, reader)
        # What the module or the class body does while it is imported happens once.
        if block.kind == "function"
    )


def _in_block(block: Block, reader: AccessReader) -> Iterator[Mutation]:
    for assign in block.nodes(ast.Assign):
        for target in assign.targets:
            yield from _stores(assign, target, assign.value, block, reader)
    for annotated in block.nodes(ast.AnnAssign):
        if annotated.value is not None:
            yield from _stores(annotated, annotated.target, annotated.value, block, reader)
    for walrus in block.nodes(ast.NamedExpr):
        yield from _stores(walrus, walrus.target, walrus.value, block, reader)
    for augmented in block.nodes(ast.AugAssign):
        yield from _augmented(augmented, block, reader)
    for deletion in block.nodes(ast.Delete):
        for target in deletion.targets:
            if isinstance(target, ast.Subscript):
                yield _made("delete", deletion, target.value, block, reader, keys=(target.slice,))
            elif isinstance(target, ast.Attribute):
                yield _made("delete", deletion, target.value, block, reader, name=target.attr)
    for call in _unused(block):
        yield from _calls(call, block, reader)


def _unused(block: Block) -> Iterator[ast.Call]:
    """The calls, without those whose value is used as no container's method gives one: `await desk.update(version)`."""
    calls = list(block.nodes(ast.Call))
    used: set[ast.expr] = {one.value for one in block.nodes(ast.Await, ast.Assign)}
    used.update(argument for call in calls for argument in call.args)
    for call in calls:
        if not (call in used and isinstance(call.func, ast.Attribute) and call.func.attr in _GIVE_NOTHING):
            yield call


def _stores(node: ast.AST, target: ast.expr, value: ast.expr, block: Block, reader: AccessReader) -> Iterator[Mutation]:
    match target:
        case ast.Subscript():
            yield _made("item", node, target.value, block, reader, keys=(target.slice,), values=(value,))
        case ast.Attribute():
            yield _made("attribute", node, target.value, block, reader, name=target.attr, values=(value,))
        case ast.Name() if _bound_outside(target.id, block):
            yield _made("rebind", node, target, block, reader, name=target.id, values=(value,))
        case ast.Tuple() | ast.List():
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            same = len(values) == len(target.elts)
            for index, element in enumerate(target.elts):
                yield from _stores(node, element, values[index] if same else value, block, reader)
        case ast.Starred():
            yield from _stores(node, target.value, value, block, reader)


def _augmented(node: ast.AugAssign, block: Block, reader: AccessReader) -> Iterator[Mutation]:
    match node.target:
        case ast.Subscript():
            yield _made("item", node, node.target.value, block, reader, keys=(node.target.slice,), values=(node.value,))
        case ast.Attribute():
            yield _made("attribute", node, node.target.value, block, reader, name=node.target.attr,
                        values=(node.value,))  # fmt: skip
        case ast.Name() if _bound_outside(node.target.id, block):
            yield _made("rebind", node, node.target, block, reader, name=node.target.id, values=(node.value,))
        case ast.Name():
            yield _made("augmented", node, node.target, block, reader, name=node.target.id, values=(node.value,))


def _calls(node: ast.Call, block: Block, reader: AccessReader) -> Iterator[Mutation]:
    if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        if _is_module(node.func.value, block):
            return
        method = node.func.attr
        arguments = (*node.args, *(keyword.value for keyword in node.keywords))
        keyed = method in ("setdefault", "__setitem__", "__delitem__", "pop", "insert") and bool(node.args)
        yield _made("method", node, node.func.value, block, reader, name=method, keys=arguments[:1] if keyed else (),
                    values=arguments[1:] if keyed else arguments)  # fmt: skip
    elif isinstance(node.func, ast.Name) and node.func.id == "setattr" and len(node.args) == 3:
        name = node.args[1].value if isinstance(node.args[1], ast.Constant) else ""
        yield _made("attribute", node, node.args[0], block, reader, name=str(name), values=(node.args[2],))
    elif isinstance(node.func, ast.Name) and node.func.id == "delattr" and len(node.args) == 2:
        name = node.args[1].value if isinstance(node.args[1], ast.Constant) else ""
        yield _made("delete", node, node.args[0], block, reader, name=str(name))


def _made(
    kind: Literal["item", "attribute", "method", "augmented", "delete", "rebind"],
    node: ast.AST, target: ast.expr, block: Block, reader: AccessReader,
    *, name: str = "", keys: tuple[ast.expr, ...] = (), values: tuple[ast.expr, ...] = (),
) -> Mutation:  # fmt: skip
    accesses = reader.read(target, block)
    along = next((access.keys for access in accesses if access.keys), ())
    return Mutation(kind, node, block, target, accesses, name, (*along, *keys), values)


def _is_module(value: ast.expr, block: Block) -> bool:
    """Whether it is what `import gradio as gr` binds, of which `gr.update(...)` is a function."""
    found = block.scope.lookup(value.id) if isinstance(value, ast.Name) else None
    return found is not None and all(one.kind == "import" for one in found[1])


def _bound_outside(name: str, block: Block) -> bool:
    return name in block.scope.globals or name in block.scope.nonlocals
