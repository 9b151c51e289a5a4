"""A map that knows objects by their address."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import structs

from carrel.audit.blocks import Block
from carrel.audit.conditions import Condition, NamedElsewhere, Not, Reachable, SharedClass
from carrel.audit.file_view import FileView
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name, identities, leaves
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import WrapsIdentity
from carrel.audit.taint import is_identity_like
from carrel.findings import RuleInfo

__all__ = ["MapKeyedById"]


class MapKeyedById:
    """`owners[id(session)] = user_id`."""

    info = RuleInfo(
        rule="map-keyed-by-id",
        code="CAR036",
        severity="error",
        title="A lasting map is keyed by `id()` of something that comes and goes",
        why="An address is given to the next object once the first one is gone. The map then says of a new session "
        "what it was told about an old one.",
        fix="Use a `WeakKeyDictionary`, a key that is never used twice (`uuid4()`), or keep the object in the map.",
        page=rule_page("map-keyed-by-id"),
        leak_classes=(36,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for mutation in view.mutations:
            if mutation.kind not in ("item", "method") or mutation.removes:
                continue
            for key in mutation.keys[-1:]:
                subject = _subject(view, key, mutation.block)
                given = _lasting(mutation)
                left = _left(view, mutation) if subject is not None and given is not None else None
                if subject is None or given is None or left is None:
                    continue
                if any(_keeps(view, one, subject) for one in view.mutations_in(mutation.block)):
                    continue
                found = self._candidate(view, mutation, subject, given)
                yield structs.replace(found, given=left)

    def _candidate(
        self, view: FileView, mutation: Mutation, subject: ast.expr, given: tuple[Condition, ...]
    ) -> Candidate:
        text = ast.unparse(subject)
        message = f"`{ast.unparse(mutation.target)}` knows `{text}` by its address and does not keep it alive"
        told = is_identity_like(text.rpartition(".")[2]) or any(
            identities(view, value, mutation.block) for value in mutation.values
        )
        taint = view.taint(subject, mutation.block)
        told = told or (taint is not None and taint.by == "request")
        grades: tuple[Grade, ...] = (Grade("info", given),)
        if told and not _is_handed_on(view, mutation, text) and not _is_the_librarys(view, subject, mutation.block):
            grades = (Grade("error", given), Grade("info"))
        elif taint is not None and taint.by == "parameter":
            served = () if mutation.block.class_ is not None else (Reachable(mutation.block.symbol),)
            grades = (Grade("warning", (*given, *taint.given, *served)), Grade("info", given))
        outer = _decorator(mutation, subject)
        if outer is not None and grades[0].severity != "error":
            grades = (Grade("error", (*given, WrapsIdentity(outer.symbol))), *grades)
        return view.candidate(self.info, mutation.node, message, block=mutation.block, grades=grades)


def _decorator(mutation: Mutation, subject: ast.expr) -> Block | None:
    """The decorator whose wrapper keeps under the address of its argument what the decorated function gives."""
    wrapper, outer = mutation.block, mutation.block.parent
    if not isinstance(subject, ast.Name) or wrapper.parameter(subject.id) is None:
        return None
    if outer is None or outer.kind != "function":
        return None
    called = {call.func.id for call in wrapper.nodes(ast.Call) if isinstance(call.func, ast.Name)}
    if called.isdisjoint(one.name for one in outer.parameters):
        return None
    while outer.parent is not None and outer.parent.kind == "function":
        outer = outer.parent
    return outer


def _subject(view: FileView, key: ast.expr, block: Block) -> ast.expr | None:
    """What the key is the address of."""
    values = [key]
    if isinstance(key, ast.Name) and block.function is not None:
        values += [one.value for one in block.scope.bindings.get(key.id, ()) if one.value is not None]
    for value in values:
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        for part in parts:
            if not isinstance(part, ast.Call) or len(part.args) != 1:
                continue
            if _is_address(view, part) or any(_is_address(view, one) for one in _given_by(view, part, block)):
                return part.args[0]
    return None


def _is_address(view: FileView, node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and view.dotted(node.func) in ("id", "builtins.id") and len(node.args) == 1


def _given_by(view: FileView, call: ast.Call, block: Block) -> Iterator[ast.expr | None]:
    """What a function of this file that is called for a key gives: `self._key(session)`."""
    on_self = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == block.receiver
    if on_self or isinstance(call.func, ast.Name):
        for function in view.functions:
            if function.name == called_name(call) and function.class_ is (block.class_ if on_self else None):
                yield from (one.value for one in function.nodes(ast.Return))


def _lasting(mutation: Mutation) -> tuple[Condition, ...] | None:
    """What must hold for the map to outlive the object; `None` when it does not."""
    for access in mutation.accesses:
        if access.kind in ("global", "class") and "()" not in access.steps:
            return ()
        if access.kind == "cell":
            return ()
        if access.kind == "self" and mutation.block.class_ is not None:
            return (SharedClass(mutation.block.class_.symbol),)
    return None


def _keeps(view: FileView, mutation: Mutation, subject: ast.expr) -> bool:
    """Whether what is stored there, to stay, holds the object itself: `(session, owner)`."""
    text = ast.unparse(subject)
    if mutation.kind not in ("item", "method") or _lasting(mutation) is None or _left(view, mutation) is None:
        return False

    def holds(node: ast.expr) -> bool:
        if ast.unparse(node) == text:
            return True
        return isinstance(node, ast.Tuple | ast.List | ast.Dict) and any(
            holds(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)
        )

    return any(holds(value) for value in mutation.values)


def _is_handed_on(view: FileView, mutation: Mutation, text: str) -> bool:
    """Whether an object that is stored was made with the one of the address, and so most likely keeps it alive."""
    return any(
        isinstance(leaf, ast.Call) and called_name(leaf)[:1].isupper()
        and any(ast.unparse(one) == text for one in (*leaf.args, *(each.value for each in leaf.keywords)))
        for value in mutation.values
        for leaf, _ in leaves(view, value, mutation.block)
    )  # fmt: skip


def _is_the_librarys(view: FileView, subject: ast.expr, block: Block) -> bool:
    """Whether it is what a library gives to everybody who asks, `trace.get_tracer_provider()`: it stays."""
    found = block.scope.bindings.get(subject.id, ()) if isinstance(subject, ast.Name) else ()
    return bool(found) and all(
        isinstance(one.value, ast.Call)
        and not (one.value.args or one.value.keywords)
        and called_name(one.value).startswith("get_")
        and "." in view.dotted(one.value.func)
        for one in found
    )


def _left(view: FileView, mutation: Mutation) -> tuple[Condition, ...] | None:
    """What must hold for the entries to stay in the map; `None`: they are taken out, or it is told when one goes.

    The oldest that goes when there are too many may be of any object. A method that takes them out has to be called.
    """
    # What is added to the set under the key, `sent[key].add(message)`, goes with the set.
    target = mutation.target.value if isinstance(mutation.target, ast.Subscript) else mutation.target
    texts = {ast.unparse(target), ast.unparse(mutation.target)}
    removals = [
        one.block for one in view.mutations
        if one.removes and ast.unparse(one.target) in texts and one.name not in ("clear", "popitem")
        and not any(_is_oldest(view, key, one.block) for key in one.keys[-1:])
    ]  # fmt: skip
    if any(_is_called_here(view, one, mutation.block) for one in removals):
        return None
    if any(view.dotted(call.func) in ("weakref.finalize", "weakref.ref") for call in mutation.block.nodes(ast.Call)):
        return None
    return tuple(Not(NamedElsewhere(one.symbol)) for one in dict.fromkeys(removals))


def _is_called_here(view: FileView, remover: Block, keeper: Block) -> bool:
    """Whether the file calls what takes entries out, or somebody unknown may: all but plain methods of a class."""
    owner = remover.class_
    special = remover is keeper or remover.name.startswith("__") or remover.decorators
    if owner is None or view.base_names(owner) or special:
        return True
    return any(one.attr == remover.name for block in view.blocks for one in block.nodes(ast.Attribute))


def _is_oldest(view: FileView, key: ast.expr, block: Block) -> bool:
    """Whether it is the key that was put in first, `next(iter(seen))`, whatever it may be."""
    return any(
        isinstance(one, ast.Call) and called_name(one) == "next" and len(one.args) > 0
        and isinstance(one.args[0], ast.Call) and called_name(one.args[0]) == "iter"
        for one, _ in leaves(view, key, block)
    )  # fmt: skip
