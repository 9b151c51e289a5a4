"""A default argument that the function changes."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import Final

import msgspec

from carrel.audit.blocks import Block, Parameter
from carrel.audit.chains import chain_root
from carrel.audit.conditions import (
    AnyOf,
    ChangesObject,
    Condition,
    FieldChanged,
    HasEntryPoints,
    Not,
    Reachable,
    ResultChanged,
)
from carrel.audit.data_conditions import LeftOut
from carrel.audit.diff import insert_before, replace_node, unified_diff
from carrel.audit.file_view import FileView
from carrel.audit.filled import has_something, is_empty
from carrel.audit.memos import CACHE_NAME
from carrel.audit.mutations import Mutation
from carrel.audit.origins import is_fixed, leaves, parameters_in
from carrel.audit.reads import following
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.taint import is_identity_like
from carrel.findings import Fix, RuleInfo

__all__ = ["MutableDefault"]


_ORDERS: Final = frozenset({"sort", "reverse"})
"""What changes nothing in an empty list."""
_DATACLASSES: Final = ("dataclass", "define", "attrs", "mutable")


class MutableDefault:
    """`def ask(question, history=[])` whose body puts something into `history`."""

    info = RuleInfo(
        rule="mutable-default",
        code="CAR004",
        severity="error",
        title="A mutable default argument is changed",
        why="Python makes a default value once, so every call without this argument gets the same object, with what "
        "earlier calls for other users put into it.",
        fix="Make the default `None`, and a new object inside the function.",
        page=rule_page("mutable-default"),
        leak_classes=(4,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            if _is_made_anew(function):
                continue
            for parameter in function.parameters:
                if view.value_kind(parameter.default) == "container":
                    yield from self._container(view, function, parameter)
                elif view.value_kind(parameter.default) == "call" and view.dependency(parameter) is None:
                    yield from self._object(view, function, parameter)
        for owner in view.classes:
            if owner.has_decorator(*_DATACLASSES):
                yield from self._fields(view, owner)

    def _container(self, view: FileView, function: Block, parameter: Parameter) -> Iterator[Candidate]:
        changes = [
            one
            for one in view.mutations_of(function, parameter.name)
            if not one.removes and any(access.kind == "parameter" for access in one.accesses)
        ]
        kept = view.escapes_of(function, parameter.name)
        if is_empty(parameter.default):
            changes = [
                one
                for one in changes
                if one.name not in _ORDERS and not has_something(view, one.node, parameter.name, function)
            ]
            kept = [one for one in kept if not _has_something(view, one, parameter.name, function)]
        if changes and not _is_memo(view, function, parameter, changes):
            telling = [one for one in changes if not _says_nothing(view, one) and not _is_filled(view, one, parameter)]
            candidate = self._candidate(view, function, parameter, (telling or changes)[0])
            if telling and _is_written_anew(view, function, parameter, changes):
                # Only calls that run at the same time meet there, which those of a command line do not.
                candidate = msgspec.structs.replace(candidate, grades=(candidate.grades[0], Grade("info")))
            is_kept = telling and not _is_only_asked(function, parameter)
            yield candidate if is_kept else msgspec.structs.replace(candidate, grades=(Grade("info"),))
        elif kept and not changes:
            message = f"the default of `{parameter.name}` is one object, and `{function.name}` gives it away"
            # Which of the objects is changed, nobody knows: it has the default where all of them have it.
            always = LeftOut(function.symbol, parameter.name, always=True)
            sure = (
                Grade(one.severity, (changed, always, *one.given))
                for changed in _changed_later(view, function, parameter, kept)
                for one in _grades(function, parameter)
                if one.given
            )
            yield view.candidate(self.info, parameter.node, message, block=function, grades=(*sure, Grade("info")),
                                 related=(view.location(kept[0], "given away here"),))  # fmt: skip

    def _object(self, view: FileView, function: Block, parameter: Parameter) -> Iterator[Candidate]:
        """`memory: Memory = Memory()`: whether it is changed is for the class to say."""
        made = view.path(parameter.default, view.block_of(function.node)) if parameter.default is not None else ""
        if not made:
            return
        methods: dict[str, ast.Call] = {}
        for call, method in view.method_calls_on(function, parameter.name):
            methods.setdefault(method, call)
        for method, call in methods.items():
            message = f"the default of `{parameter.name}` is one object, and `{method}()` changes it"
            # What a cache keeps under its keys is another rule's.
            grades = (Grade("info"),) if CACHE_NAME.search(parameter.name) else _grades(function, parameter)
            yield view.candidate(
                self.info, parameter.node, message, block=function, grades=grades,
                related=(view.location(call, "changed here"),), given=(ChangesObject(f"{made}.{method}"),),
            )  # fmt: skip

    def _fields(self, view: FileView, owner: Block) -> Iterator[Candidate]:
        """`pad: ScratchPad = ScratchPad()` in a dataclass, of which a method changes `self.pad`."""
        for method in view.methods(owner):
            for call in method.nodes(ast.Call):
                if not isinstance(call.func, ast.Attribute):
                    continue
                access = view.access(call.func.value, method)
                name = access.steps[0] if access.kind == "self" and len(access.steps) == 1 else ""
                for binding in owner.scope.bindings.get(name, ()):
                    made = view.path(binding.value, owner) if isinstance(binding.value, ast.Call) else ""
                    if made.endswith("()"):
                        message = f"the default of `{owner.name}.{name}` is one object for all that are made without it"
                        changed = ChangesObject(f"{made}.{call.func.attr}")
                        yield view.candidate(self.info, binding.node, message, block=owner, given=(changed,),
                                             related=(view.location(call, "changed here"),))  # fmt: skip

    def _candidate(self, view: FileView, function: Block, parameter: Parameter, change: Mutation) -> Candidate:
        message = f"the default of `{parameter.name}` is one object, and `{function.name}` changes it"
        place = view.location(change.node, "changed here")
        candidate = view.candidate(self.info, parameter.node, message, block=function, related=(place,),
                                   grades=_grades(function, parameter))  # fmt: skip
        fix = Fix(description=self.info.fix, diff=_diff(view, function, parameter))
        return msgspec.structs.replace(candidate, fix=fix)


def _grades(function: Block, parameter: Parameter) -> tuple[Grade, ...]:
    """An error where a request gets there without the argument, or where nothing says who calls it."""
    named = function.symbol, parameter.name
    served = AnyOf((Reachable(function.symbol), Not(HasEntryPoints())))
    return Grade("error", (LeftOut(*named), served)), Grade("warning", (LeftOut(*named, shown=True),)), Grade("info")


def _changed_later(view: FileView, function: Block, parameter: Parameter, kept: list[ast.AST]) -> Iterator[Condition]:
    """What says that the default is changed where it was given away to: returned, or kept by `self.rows = rows`."""
    if any(isinstance(one, ast.Return) for one in kept):
        yield ResultChanged(function.symbol)
    owner = function.class_
    for mutation in view.mutations_in(function):
        value = mutation.values[0] if mutation.kind == "attribute" else None
        on_self = any(one.kind == "self" and not one.steps for one in mutation.accesses)
        is_default = on_self and isinstance(value, ast.Name) and value.id == parameter.name
        if owner is not None and is_default and not _is_replaced(view, mutation, function):
            yield FieldChanged(owner.symbol, mutation.name)


def _is_replaced(view: FileView, mutation: Mutation, function: Block) -> bool:
    """Whether the function goes on to give the object another value under the name, whatever happens."""
    line = getattr(mutation.node, "lineno", 0)
    return any(
        one.kind == "attribute" and one.name == mutation.name and getattr(one.node, "lineno", 0) > line
        and view.module.parent(one.node) is function.node and not isinstance(one.node, ast.AugAssign)
        for one in view.mutations_in(function)
    )  # fmt: skip


def _diff(view: FileView, function: Block, parameter: Parameter) -> str:
    """`None` as the default, and the old default as the first statement of the body."""
    if parameter.default is None or not isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    text, body = view.module.text, function.node.body
    documented = ast.get_docstring(function.node, clean=False) is not None
    first = body[1] if documented and len(body) > 1 else body[0]
    if text.line(first.lineno).encode()[: first.col_offset].strip() or (documented and len(body) == 1):
        return ""  # the body stands on the line of the head
    name = parameter.name
    edits = [
        replace_node(text, parameter.default, "None"),
        insert_before(text, first, f"if {name} is None:\n    {name} = {text.segment(parameter.default)}"),
    ]
    if parameter.annotation is not None and not isinstance(parameter.annotation, ast.Constant):
        edits.append(replace_node(text, parameter.annotation, f"{text.segment(parameter.annotation)} | None"))
    return unified_diff(view.module.path, text, edits)


def _is_made_anew(function: Block) -> bool:
    """Whether each call of the function around makes it, with its defaults, and nobody outside of that call gets it."""
    outer = function.parent if function.parent is not None and function.parent.kind == "function" else None
    if outer is None or function.decorators:
        return False
    return not any(
        isinstance(one, ast.Name) and one.id == function.name
        for statement in outer.nodes(ast.Return) if statement.value is not None
        for one in ast.walk(statement.value)
    )  # fmt: skip


def _has_something(view: FileView, statement: ast.AST, name: str, function: Block) -> bool:
    """Whether what the statement hands on was handed in: of `name or []`, an empty one never is."""
    named = [one for one in ast.walk(statement) if isinstance(one, ast.Name) and one.id == name]
    tests = [one.test for one in ast.walk(statement) if isinstance(one, ast.IfExp)]
    return all(has_something(view, one, name, function) for one in named if one not in tests)


def _is_only_asked(function: Block, parameter: Parameter) -> bool:
    """Whether nothing comes out again: the function asks what is in it, adds to it, hands it to itself: `visited`."""
    around = {id(child): one for one in ast.walk(function.node) for child in ast.iter_child_nodes(one)}
    uses = (one for one in ast.walk(function.node) if isinstance(one, ast.Name) and one.id == parameter.name)
    parents = [around.get(id(use)) for use in uses]
    return any(isinstance(one, ast.Compare) for one in parents) and all(_only_asks(one, function) for one in parents)


def _only_asks(around: ast.AST | None, function: Block) -> bool:
    """Whether what stands around a use of the container gives nothing of what is in it to anybody."""
    match around:
        case ast.Compare(ops=[ast.In() | ast.NotIn()]):
            return True
        case ast.Attribute(attr="add" | "append" | "update" | "extend" | "discard"):
            return True
        case ast.Call(func=called):
            return ast.unparse(called).rpartition(".")[2] == function.name
    return False


def _is_written_anew(view: FileView, function: Block, parameter: Parameter, changes: list[Mutation]) -> bool:
    """Whether each call writes the same keys before it uses them: no call finds what another one has left."""
    if not all(one.kind == "item" and all(is_fixed(view, key, function) for key in one.keys) for one in changes):
        return False
    first = changes[0]
    after = set(following(view, first.node))
    written = {id(one.target) for one in changes}
    reads = (one for one in function.nodes(ast.Name) if one.id == parameter.name and id(one) not in written)
    return all(view.module.parent(one.node) is view.module.parent(first.node) for one in changes) and all(
        isinstance(use.ctx, ast.Load) and use in after for use in reads
    )


def _is_memo(view: FileView, function: Block, parameter: Parameter, changes: list[Mutation]) -> bool:
    """Whether it is a memo on purpose: only asked by key, and what is under a key was made of the key's parameters."""
    name = parameter.name
    for change in changes:
        keyed = change.kind == "item" or change.name == "setdefault"
        asked = {one for key in change.keys for one in parameters_in(view, key, function)}
        used = {one for value in change.values for one in parameters_in(view, value, function)} - {name}
        if not keyed or not asked or not used <= asked or _is_made_of_self(view, change, function):
            return False
    return all(_is_by_key(view, use) for use in function.nodes(ast.Name) if use.id == name)


def _is_by_key(view: FileView, use: ast.Name) -> bool:
    match view.module.parent(use):
        case ast.Subscript(value=value):
            return value is use
        case ast.Attribute(attr=method):
            return method in ("get", "setdefault", "__contains__")
        case ast.Compare(ops=ops):
            return isinstance(ops[0], ast.In | ast.NotIn)
        case ast.Call(func=ast.Name(id="len")):
            return True
    return False


def _is_made_of_self(view: FileView, change: Mutation, function: Block) -> bool:
    """Whether what the object holds goes in; a constant of its class is the same for all."""
    made = (leaf for value in change.values for leaf, _ in leaves(view, value, function))
    roots = (chain_root(one) for one in made if not (isinstance(one, ast.Attribute) and one.attr.isupper()))
    return bool(function.receiver) and any(isinstance(one, ast.Name) and one.id == function.receiver for one in roots)


def _says_nothing(view: FileView, change: Mutation) -> bool:
    """Whether what goes under a constant key is a constant, or a setting of the object: the same whoever calls."""
    if change.values and all(_is_of_process(view, value, change.block) for value in (*change.keys, *change.values)):
        return True
    if not change.keys or not all(is_fixed(view, key, change.block) for key in change.keys):
        return False
    return all(is_fixed(view, value, change.block) or _is_setting(view, value, change.block) for value in change.values)


def _is_of_process(view: FileView, value: ast.expr, function: Block, depth: int = 3) -> bool:
    """Whether it is what a function of Python's library gives without anything of this call: `os.urandom(16)`."""
    calls = [one for one in ast.walk(value) if isinstance(one, ast.Call)]
    if not all(view.dotted(one.func).partition(".")[0] in sys.stdlib_module_names for one in calls):
        return False
    bound = {one.id for one in ast.walk(value) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    names = {one.id for one in ast.walk(value) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)} - bound
    made = [one for name in names for one in function.scope.bindings.get(name, ())]
    asks = bool(calls) or any(isinstance(one.value, ast.Call) for one in made)
    return asks and depth > 0 and all(
        one.value is not None and _is_of_process(view, one.value, function, depth - 1) for one in made
    )  # fmt: skip


def _is_filled(view: FileView, change: Mutation, parameter: Parameter) -> bool:
    """Whether it goes on from what it holds, or, being one that no caller is meant to pass, `_known`, or that the
    function asks whether there is something in it, gets what is the same whoever calls."""
    if change.values and all(_goes_on(view, value, change.block, parameter.name) for value in change.values):
        return True
    is_asked = any(parameter.name in map(ast.unparse, ast.walk(one.test)) for one in change.block.nodes(ast.If))
    if not (is_asked or parameter.name.startswith("_")) or _is_made_of_self(view, change, change.block):
        return False
    values = (*change.keys, *change.values)
    used = {one for value in values for one in parameters_in(view, value, change.block)}
    return bool(change.values) and used <= {parameter.name} and view.best_taint(values, change.block) is None


def _goes_on(view: FileView, value: ast.expr, function: Block, name: str) -> bool:
    """Whether the value is made of constants and of what the default holds: `table.append(table[-1] * RATIO)`, or the
    number of a page."""
    used = [leaf for leaf, _ in leaves(view, value, function) if not isinstance(leaf, ast.Subscript)]
    names = {leaf.id for leaf in used if isinstance(leaf, ast.Name) and not is_fixed(view, leaf, function)} - {name}
    made = {one for one in names if any(each.value is not None for each in function.scope.bindings.get(one, ()))}
    return all(isinstance(leaf, ast.Name) or is_fixed(view, leaf, function) for leaf in used) and not any(
        one not in made or function.parameter(one) is not None for one in names
    )


def _is_setting(view: FileView, value: ast.expr, block: Block) -> bool:
    access = view.access(value, block)
    return access.kind == "self" and bool(access.steps) and not any(is_identity_like(step) for step in access.steps)
