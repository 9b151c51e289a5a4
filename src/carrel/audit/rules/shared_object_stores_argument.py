"""An object that all requests use keeps what it was told about one of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.callers import proves
from carrel.audit.chains import chain_names
from carrel.audit.conditions import (
    Condition,
    FieldRead,
    HasSetter,
    IdentityParameter,
    Not,
    OnShared,
    Reachable,
    SharedClass,
    SharedObject,
)
from carrel.audit.data_conditions import MadeBy, ReadAgain
from carrel.audit.entry_points import is_django_middleware
from carrel.audit.file_view import FileView
from carrel.audit.mutations import Mutation
from carrel.audit.origins import is_asked, leaves, says_whose
from carrel.audit.reads import readers_again
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sharing import (
    brought,
    grades_of,
    is_configuration_name,
    is_guarded,
    is_setting_name,
    makes_work,
    where,
)
from carrel.audit.taint import Taint, is_identity_like
from carrel.findings import RuleInfo

__all__ = ["SharedObjectStoresArgument"]


_LOCALS: Final = ("threading.local", "asgiref.local.Local", "werkzeug.local.Local", "gevent.local.local",
                  "eventlet.corolocal.local")  # fmt: skip
"""What makes an object that is another one in each thread or context."""
_DOUBLE: Final = re.compile(r"^(?:Test|Mock|Fake|Dummy|Stub|Spy)(?=[A-Z])")
"""What stands for another object in a test is called so."""
_CACHE: Final = re.compile(r"(?:^|_)(?:cached?|memo|last)(?:_|$)")


class SharedObjectStoresArgument:
    """`self.user = user` in a method of a class of which one object serves everybody."""

    info = RuleInfo(
        rule="shared-object-stores-argument",
        code="CAR005",
        severity="error",
        title="A shared object stores what belongs to one user",
        why="One object serves every request. Between this store and the next read another request stores its own, "
        "so one user's request goes on with another user's data.",
        fix="Pass the value to the methods that need it, or make an object for each request.",
        page=rule_page("shared-object-stores-argument"),
        leak_classes=(5, 6),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for mutation in view.mutations:
            if mutation.kind != "attribute" or _goes_on(view, mutation):
                continue
            for shared, name, path in _shared(view, mutation):
                taint = brought(view, mutation.values, mutation.block)
                if taint is not None:
                    apart = Not(MadeBy(mutation.accesses[0].name, _LOCALS))
                    yield self._candidate(view, mutation, taint, (shared, Not(HasSetter(path)), apart), name)
                    break

    def _candidate(
        self, view: FileView, mutation: Mutation, taint: Taint, given: tuple[Condition, ...], name: str
    ) -> Candidate:
        message = f"`{name}` keeps {taint.reason} on an object that every request uses"
        if is_configuration_name(chain_names(mutation.target)[-1]) or _is_setting(mutation):
            return view.candidate(self.info, mutation.node, message, block=mutation.block, given=given, severity="info")
        grades = grades_of(view, taint, mutation.block)
        # That something was worked out from what a request brought says little, and a level is the process's.
        certain = taint.by == "name" or (_is_kept_as_it_is(view, mutation) and not is_setting_name(mutation.name))
        if is_guarded(view, mutation) or not certain:
            grades = () if is_guarded(view, mutation) else _worked_out(view, mutation, taint)
            grades = (*grades, Grade("info"))
        owner = mutation.block.class_
        unread = _is_never_read(view, mutation) or _is_checked(view, mutation) or _is_begun(view, mutation)
        if unread or (owner is not None and _DOUBLE.search(owner.name)):
            grades = (Grade("info"),)
        if isinstance(given[0], SharedClass):
            # `Desk().use(user)`: that there is a shared one too says nothing of those.
            grades = where(grades, (OnShared(mutation.block.symbol),))
            if owner is not None:
                again = readers_again(view, mutation)
                grades = where(grades, (ReadAgain(owner.symbol, mutation.name, mutation.block.symbol, again),))
        return view.candidate(self.info, mutation.node, message, block=mutation.block, given=given, grades=grades)


def _is_setting(mutation: Mutation) -> bool:
    """Whether settings are kept as such, `self._settings = settings`: who changes them changes them for all."""
    value = mutation.values[0]
    handed = isinstance(value, ast.Name) and is_configuration_name(value.id) and not says_whose(value.id)
    return handed and is_configuration_name(mutation.name)


def _worked_out(view: FileView, mutation: Mutation, taint: Taint) -> tuple[Grade, ...]:
    """`self.employee = fetch(employee_id)`: what belongs to the one whom a caller names, for the next one to read."""
    owner = mutation.block.class_
    if owner is None or not taint.parameter or mutation.accesses[0].kind != "self" or is_setting_name(mutation.name):
        return ()
    made_of = (leaf for value in mutation.values for leaf, _ in leaves(view, value, mutation.block))
    handed = (one for leaf in made_of if isinstance(leaf, ast.Call) for one in leaf.args)
    if not any(isinstance(one, ast.Name) and one.id == taint.parameter for one in handed):
        return ()
    told = IdentityParameter(mutation.block.symbol, taint.parameter)
    read = FieldRead(owner.symbol, mutation.name, mutation.block.symbol)
    return (Grade("error", (told, read, Reachable(mutation.block.symbol))),)


def _shared(view: FileView, mutation: Mutation) -> Iterator[tuple[Condition, str, str]]:
    """What must be one for all requests, with the attribute as the code calls it and as conditions do."""
    for access in mutation.accesses:
        owner = mutation.block.class_
        if access.kind == "self" and not access.steps and owner is not None:
            if not _initializes(view, mutation.block) or _is_made_once(view, owner):
                yield SharedClass(owner.symbol), f"self.{mutation.name}", f"{access.path}.{mutation.name}"
        elif access.kind == "global" and access.steps in ((), ("()",)) and not mutation.block.is_initializer:
            # `get_agent().instructions = ...`, `agent.user = ...`
            name = f"{ast.unparse(mutation.target)}.{mutation.name}"
            yield SharedObject(access.path), name, f"{access.path}.{mutation.name}"


def _goes_on(view: FileView, mutation: Mutation) -> bool:
    """Whether the new value is the old one and something more: a counter, a registry, a task that is started."""
    old = ast.unparse(mutation.target) + f".{mutation.name}"
    for value in mutation.values:
        if _merges(view, value, old, mutation.block):
            return True
        if isinstance(mutation.node, ast.AugAssign) or old in ast.unparse(value) or makes_work(value, mutation.block):
            return True
    return False


def _merges(view: FileView, value: ast.expr, old: str, block: Block) -> bool:
    """Whether the entries of the old mapping go on in the new one, which a local or a method of its own makes of it."""
    made = [leaf for leaf, _ in leaves(view, value, block)]
    own = {one.func.attr for one in made if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)
           and ast.unparse(one.func.value) == block.receiver}  # fmt: skip
    makers = [one for one in view.methods(block.class_) if one.name in own] if block.class_ is not None else []
    for one in (*made, *(read for maker in makers for read in maker.nodes(ast.Attribute))):
        if ast.unparse(one) == old:
            around = view.module.parent(one)
            match around:
                case ast.Attribute(attr="items"):
                    return True
                case ast.Dict() if any(
                    key is None and each is one for key, each in zip(around.keys, around.values, strict=True)
                ):
                    return True
    return False


def _is_kept_as_it_is(view: FileView, mutation: Mutation) -> bool:
    """Whether the argument itself is stored, or the attribute's name says that it is one user's."""
    if is_identity_like(mutation.name):
        return True
    made = (leaf for value in mutation.values for leaf in leaves(view, value, mutation.block, direct=True))
    if any(proves(view, leaf, where) for leaf, where in made):
        return True  # `self.shipper = claims["shipper"]`
    values: list[ast.expr] = list(mutation.values)
    while values:
        match values.pop():
            case ast.Name() as name:
                if mutation.block.parameter(name.id) is not None:
                    return True
            case ast.Attribute() | ast.Subscript() | ast.Await() | ast.Starred() as inner:
                values.append(inner.value)
            case ast.BoolOp() as either:
                values += either.values
            case ast.IfExp() as either:
                values += [either.body, either.orelse]
            case ast.Call(func=ast.Attribute(attr="get" | "getlist" | "getone", value=inner)):
                values.append(inner)  # a field of a form
            case ast.Call() as call:
                # `chain.load(text)` with `verify(request.headers["authorization"])`.
                if view.taint(call, mutation.block) is not None and is_asked(call):
                    return True
    return False


def _is_never_read(view: FileView, mutation: Mutation) -> bool:
    """Whether nothing gets at it again: it is private, or of a middleware, which nobody has, and unused in the file."""
    owner = mutation.block.class_
    hidden = mutation.name.startswith("_") or (owner is not None and is_django_middleware(view, owner))
    return hidden and not any(
        (one.attr if isinstance(one, ast.Attribute) else one.value) == mutation.name
        and not isinstance(getattr(one, "ctx", None), ast.Store)
        for block in view.blocks
        for one in block.nodes(ast.Attribute, ast.Constant)
    )


def _is_begun(view: FileView, mutation: Mutation) -> bool:
    """Whether it is done only while the object has nothing yet, `if self._shape is None:`, and who brings something
    else than the first is turned away."""
    for around in view.ancestors(mutation.node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        match around:
            case ast.If(test=ast.Compare(left=ast.Attribute() as asked, ops=[ast.Is()],
                                         comparators=[ast.Constant(value=None)]), orelse=[*others]):  # fmt: skip
                refuses = any(isinstance(part, ast.Raise) for other in others for part in ast.walk(other))
                if refuses and ast.unparse(asked.value) == ast.unparse(mutation.target):
                    return True
    return False


def _is_checked(view: FileView, mutation: Mutation) -> bool:
    """Whether it is a cache of one entry, which a method only gives out when it is the one that the caller asks for:
    `if cached.session_id != session_id: return None`."""
    owner = mutation.block.class_
    for method in view.methods(owner) if owner is not None and _CACHE.search(mutation.name) else ():
        for compare in method.nodes(ast.Compare):
            sides = (compare.left, *compare.comparators)
            asked = any(isinstance(one, ast.Name) and method.parameter(one.id) is not None for one in sides)
            read = (leaf for one in sides if isinstance(one, ast.Attribute) for leaf, _ in leaves(view, one, method))
            if asked and any(_names(leaf, mutation.name) for leaf in read):
                return True
    return False


def _names(node: ast.expr, attribute: str) -> bool:
    """Whether it is the attribute of an object: `self.cached`, `getattr(self, "cached", None)`."""
    match node:
        case (
            ast.Attribute(attr=name)
            | ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_])
        ):
            return name == attribute
    return False


def _initializes(view: FileView, method: Block) -> bool:
    """Whether it is `__init__`, or a part of it: a private method that only `__init__` calls."""
    if method.is_initializer or not method.name.startswith("_") or method.class_ is None:
        return method.is_initializer
    callers = [
        other
        for other in view.methods(method.class_)
        for call in other.nodes(ast.Call)
        if isinstance(call.func, ast.Attribute) and call.func.attr == method.name
    ]
    return bool(callers) and all(one.is_initializer for one in callers)


def _is_made_once(view: FileView, owner: Block) -> bool:
    """Whether its `__new__` gives every caller the first object, which `__init__` then fills anew."""
    return any(
        one.block.class_ is owner and one.block.name == "__new__" and one.kind == "attribute"
        and any(access.kind == "class" for access in one.accesses) and "super" in ast.unparse(one.values[0])
        for one in view.mutations
    )  # fmt: skip
