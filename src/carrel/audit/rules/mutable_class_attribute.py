"""A container of the class that its objects change."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.conditions import (
    AnyOf,
    Condition,
    FieldRead,
    HasBase,
    HasEntryPoints,
    NamedElsewhere,
    Not,
    SharedContainer,
    TaintedParameter,
)
from carrel.audit.data_conditions import HasOwn
from carrel.audit.file_view import FileView
from carrel.audit.filled import is_empty
from carrel.audit.frameworks import COPYING_BASES, READ_BY_BASES
from carrel.audit.held import fields_of
from carrel.audit.mutations import Mutation
from carrel.audit.origins import identities, is_fixed
from carrel.audit.records import is_listed
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sharing import brought, grades_of, makes_work, where
from carrel.findings import RuleInfo

__all__ = ["MutableClassAttribute"]

_WRITES: Final = frozenset({"append", "appendleft", "extend", "insert", "update", "add"})
_KEEPS: Final = frozenset({"append", "add", "remove", "discard", "clear"})
_TAKES_OUT: Final = frozenset({"remove", "discard"})
_FOR_ALL: Final = re.compile(
    r"(?i)cache|memo|regist|instance|singleton|lock|pool|stat|count|metric|known|handler|plugin"
)
"""Names of containers of a class that are meant for all its objects."""


class MutableClassAttribute:
    """`history = []` in a class body, and `self.history.append(text)` in a method."""

    info = RuleInfo(
        rule="mutable-class-attribute",
        code="CAR003",
        severity="error",
        title="A container of the class is changed through its objects",
        why="What a class body makes belongs to the class, so all its objects have the same one: an object made for "
        "one user shows what another user's object put in.",
        fix="Make the container in `__init__`, or with `field(default_factory=...)`.",
        page=rule_page("mutable-class-attribute"),
        leak_classes=(3,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        seen: set[tuple[str, str]] = set()
        for mutation in view.mutations:
            found = _attribute(view, mutation)
            if found is None or not _adds(view, mutation):
                continue
            owner, name, given = found
            if mutation.block.is_classmethod and _is_only_asked(view, owner, name):
                continue
            if (owner.symbol, name) not in seen:
                seen.add((owner.symbol, name))
                candidate = self._candidate(view, mutation, owner, name, given)
                if candidate is not None:
                    yield candidate

    def _candidate(
        self, view: FileView, mutation: Mutation, owner: Block, name: str, given: tuple[Condition, ...]
    ) -> Candidate | None:
        message = f"`{mutation.block.name}` changes `{owner.name}.{name}`, which all objects of the class share"
        taint = brought(view, mutation.values, mutation.block)
        if taint is None and mutation.block.receiver:
            # `(self.user.id, text)`: an object of one user has the user's data already.
            taint = view.best_taint(mutation.values, mutation.block)
            if taint is not None and not any(identities(view, one, mutation.block) for one in mutation.values):
                taint = None
        grades: tuple[Grade, ...] = (Grade("info"),)
        block = mutation.block
        fixed = all(is_fixed(view, key, block) or is_listed(view, key, block) for key in mutation.keys)
        ones: tuple[Condition, ...] = () if fixed else _for_one_user(view, owner, name)
        if ones:
            # Under whatever key, the object of the next user finds it.
            taint = brought(view, (*mutation.keys, *mutation.values), mutation.block)
        if taint is not None and (fixed or ones):
            grades = tuple(
                Grade(one.severity, (*one.given, *ones)) for one in grades_of(view, taint, mutation.block)
                if fixed or one.severity == "error"
            ) + (() if fixed else grades)  # fmt: skip
            if not _is_named(view, owner):
                # Of an application, not of a library: what no code names, a test makes.
                named = AnyOf((Not(HasEntryPoints()), NamedElsewhere(owner.symbol)))
                grades = (*(Grade(one.severity, (*one.given, named)) for one in grades), Grade("info"))
        if fixed and name not in READ_BY_BASES:
            grades = where(grades, (FieldRead(owner.symbol, name, ""),))
        is_registry = _is_taken_out(view, owner, name)
        if is_registry or _begins_anew(view, owner, name) or _is_of_nothing(view, mutation, owner, name):
            grades = (Grade("info"),)
        made = _made(owner, name)
        related = (view.location(made, "made once, with the class"),) if made is not None else ()
        given = (Not(HasBase(owner.symbol, COPYING_BASES)), Not(HasOwn(owner.symbol, name)), *given)
        if mutation.name == "add":
            # Whatever registers itself is added to a set; what a request brings is no such thing.
            grades = tuple(one for one in grades if one.severity == "error")
            if not grades or any(makes_work(one, mutation.block) for one in mutation.values):
                return None
        return view.candidate(
            self.info, mutation.node, message, block=mutation.block, grades=grades, given=given, related=related
        )


def _attribute(view: FileView, mutation: Mutation) -> tuple[Block, str, tuple[Condition, ...]] | None:
    """The class and the name of its attribute that is changed, with what other files must say."""
    for access in mutation.accesses:
        owner = access.block if access.kind == "class" else access.own_class
        # `self.turns += [text]` changes the attribute `turns` of `self`.
        steps = (*access.steps, mutation.name) if mutation.kind == "attribute" else access.steps
        if owner is None or not steps or steps[0] in ("[]", "()"):
            continue
        name, rest = steps[0], steps[1:]
        if "()" in rest or not all(is_fixed(view, key, mutation.block) for key in access.keys):
            continue
        if _is_given_to_objects(view, owner, name):
            continue
        if any(view.value_kind(one.value) == "container" for one in owner.scope.bindings.get(name, ())):
            return owner, name, ()
        if access.kind == "self" and name not in owner.scope.bindings and not rest and view.base_paths(owner):
            return owner, name, (SharedContainer(f"{owner.symbol}().{name}"),)
    return None


def _is_only_asked(view: FileView, owner: Block, name: str) -> bool:
    """Whether the class keeps it to be asked whether something is in it: nothing that is in it comes out."""
    is_asked = False
    for block in view.functions:
        for node in block.nodes(ast.Attribute):
            access = view.access(node, block)
            if node.attr != name or owner not in (access.block if access.kind == "class" else None, access.own_class):
                continue
            around = view.module.parent(node)
            if isinstance(around, ast.Compare) and node in around.comparators:
                is_asked = True
            elif not (isinstance(around, ast.Attribute) and around.attr in _KEEPS):
                return False
    return is_asked


def _is_given_to_objects(view: FileView, owner: Block, name: str) -> bool:
    """Whether a method gives the object a container of its own under the name."""
    return any(
        mutation.kind == "attribute"
        and mutation.name == name
        and not isinstance(mutation.node, ast.AugAssign)
        and any(one.own_class is owner and not one.steps for one in mutation.accesses)
        for mutation in view.mutations
    )


def _begins_anew(view: FileView, owner: Block, name: str) -> bool:
    """Whether a method starts the class's container anew: it is for one run after the other, and the class says so."""
    return any(
        mutation.kind == "attribute" and mutation.name == name
        and any(one.kind == "class" and one.block is owner and not one.steps for one in mutation.accesses)
        and all(view.value_kind(value) == "container" for value in mutation.values)
        for mutation in view.mutations
    )  # fmt: skip


def _is_taken_out(view: FileView, owner: Block, name: str) -> bool:
    """Whether exactly what was put in is taken out again: who is connected, not what was said."""
    for mutation in view.mutations:
        if mutation.name in _TAKES_OUT and mutation.kind == "method":
            found = _attribute(view, mutation)
            if found is not None and found[:2] == (owner, name):
                return True
    return False


def _is_of_nothing(view: FileView, mutation: Mutation, owner: Block, name: str) -> bool:
    """Whether what is changed is an element of a container that the class makes empty: some other class has them."""
    made = [one.value for one in owner.scope.bindings.get(name, ())]
    elements = any(access.steps[:1] == (name,) and "[]" in access.steps for access in mutation.accesses)
    return elements and bool(made) and all(map(is_empty, made)) and not any(
        one is not mutation and _adds(view, one) and (found := _attribute(view, one)) is not None
        and found[:2] == (owner, name) and not any("[]" in access.steps for access in one.accesses)
        for one in view.mutations
    )  # fmt: skip


def _adds(view: FileView, mutation: Mutation) -> bool:
    """Whether something is put in where every object finds it."""
    grown = isinstance(mutation.node, ast.AugAssign)
    if mutation.removes or mutation.kind == "rebind" or (mutation.kind == "attribute" and not grown):
        return False
    if mutation.kind == "method" and mutation.name not in _WRITES:
        return False
    if mutation.kind == "method":
        return True
    # Under a key of one user's it is apart; under another one the next object finds it.
    return not any(identities(view, key, mutation.block, lenient=True) for key in mutation.keys)


def _for_one_user(view: FileView, owner: Block, name: str) -> tuple[Condition, ...]:
    """What must hold elsewhere for an object of the class to be made for one request; nothing: it is not."""
    made = next((one for one in view.methods(owner) if one.name == "__init__"), None)
    handed = [one.name for one in made.parameters if one.name != made.receiver] if made else fields_of(owner)
    if _FOR_ALL.search(name):
        return ()
    given = tuple(TaintedParameter(f"{owner.symbol}.__init__", one) for one in handed)
    return (AnyOf(given),) if given else ()


def _is_named(view: FileView, owner: Block) -> bool:
    """Whether this file uses the class's name outside of the class, or something registers it or its methods."""
    if owner.decorators or any(view.entry_point(method) is not None for method in view.methods(owner)):
        return True
    return any(
        name.id == owner.name and isinstance(name.ctx, ast.Load)
        for block in view.blocks if block is not owner and not block.symbol.startswith(f"{owner.symbol}.")
        for name in block.nodes(ast.Name)
    )  # fmt: skip


def _made(owner: Block, name: str) -> ast.AST | None:
    return next((one.node for one in owner.scope.bindings.get(name, ()) if one.value is not None), None)
