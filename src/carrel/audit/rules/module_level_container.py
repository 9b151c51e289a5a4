"""A module-level container that a request writes to without a key of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.conditions import Condition, FieldRead, SharedContainer
from carrel.audit.data_conditions import GivenRecord
from carrel.audit.file_view import FileView
from carrel.audit.mutations import Mutation
from carrel.audit.origins import identities, is_fixed
from carrel.audit.reads import following, is_presence_list, is_read_on_import, uses
from carrel.audit.records import field_source, is_listed, is_record
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import RunsInAsync
from carrel.audit.sharing import brought, grades_of, is_configuration_name, makes_work, where
from carrel.audit.taint import Taint
from carrel.findings import RuleInfo

__all__ = ["ModuleLevelContainer"]

_FOR_ALL: Final = re.compile(r"(?i)conf|setting|option|pref|param|flag|feature|rate|limit|regist|cache|catalog|default")
"""Names of what somebody fills in for all."""
_OF_PROCESS: Final = re.compile(r"(?i)(?:^|_)(?:diagnostics?|metrics|stats|statistics|telemetry|counters|warnings)$")
"""What a process says of itself is called so."""
_WRITES: Final = frozenset({"append", "appendleft", "extend", "extendleft", "insert", "update", "add"})


class ModuleLevelContainer:
    """`history.append(text)` on a list that the module holds."""

    info = RuleInfo(
        rule="module-level-container",
        code="CAR001",
        severity="error",
        title="A request writes to a module-level container",
        why="A module is loaded once, so its list or dictionary is the same object for every request: what one user "
        "puts in, the next one reads.",
        fix="Keep it where the user's other data is, under a key that only that user has, or make it in the request.",
        page=rule_page("module-level-container"),
        leak_classes=(1,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        seen: set[tuple[Block, str]] = set()
        for mutation in view.mutations:
            # After `global`, `HISTORY += [text]` binds the name too, to the same list.
            grown = isinstance(mutation.node, ast.AugAssign)
            if not (grown or mutation.kind in ("item", "method")) or mutation.removes:
                continue
            if mutation.kind == "method" and (mutation.name not in _WRITES or mutation.is_other):
                continue
            shared = _shared(view, mutation)
            fields = _fields(view, mutation) if shared is not None else None
            if shared is None or fields is None:
                continue
            if any(makes_work(value, mutation.block) for value in mutation.values):
                continue
            access, given = shared[0], (*shared[1], *fields)
            taint = brought(view, mutation.values, mutation.block)
            if taint is not None and (mutation.block, access.path) not in seen:
                seen.add((mutation.block, access.path))
                yield self._candidate(view, mutation, access, given, taint)

    def _candidate(
        self, view: FileView, mutation: Mutation, access: Access, given: tuple[Condition, ...], taint: Taint
    ) -> Candidate:
        name = (access.name or access.path).rpartition(".")[2] + ("()" if "()" in access.steps else "")
        message = f"`{mutation.block.name}` puts {taint.reason} into `{name}`, which every request shares"
        grades = where(grades_of(view, taint, mutation.block), _is_given_on(view, access))
        of_process = taint.by == "parameter" and _OF_PROCESS.search(name) is not None
        configures = (mutation.kind == "item" or mutation.name == "update") and is_configuration_name(name)
        if of_process or configures or _is_filled_once(view, mutation):
            grades = (Grade("info"),)
        if _is_read_at_once(view, mutation, access):
            grades = (Grade("info", (RunsInAsync(mutation.block.symbol),)), *grades)
        return view.candidate(self.info, mutation.node, message, block=mutation.block, given=given, grades=grades)


def _shared(view: FileView, mutation: Mutation) -> tuple[Access, tuple[Condition, ...]] | None:
    """The container that all requests share, with what must hold elsewhere for that."""
    for access in mutation.accesses:
        if access.kind != "global" or access.name.startswith("builtins."):
            continue
        if "()" in access.steps and access.steps != ("()",):
            continue
        if not all(is_fixed(view, key, mutation.block) for key in access.keys):
            continue
        # `opening()` may give the module's own list, not a copy of it.
        if access.steps == ("()",):
            return access, (SharedContainer(access.path),)
        if not access.name.startswith(f"{view.top.symbol}."):
            if is_presence_list(view, access.name):
                continue
            return access, (SharedContainer(access.name),)
        if is_presence_list(view, access.name):
            continue
        given = view.mutable_global(access)
        # `BOARD.lines`, of an object that the module makes.
        if given == () or (given is not None and _is_of_object(view, access)):
            return access, given
    return None


def _is_given_on(view: FileView, access: Access) -> tuple[Condition, ...]:
    """What must hold elsewhere for somebody to get out again what is put in."""
    if access.steps == ("()",) or is_read_on_import(view, access.name):
        return ()
    owner, _, name = access.name.rpartition(".")
    return (FieldRead(owner, name, ""),)


def _is_of_object(view: FileView, access: Access) -> bool:
    """Whether it is an attribute of an object of a class of this file, which the module makes."""
    owner = access.name.rpartition(".")[0]
    module, _, name = owner.rpartition(".")
    if module != view.top.symbol:
        return False
    made = (one.value for one in view.module.scope.bindings.get(name, ()))
    attribute = access.name.rpartition(".")[2]
    # What a property gives may be made for who asks.
    classes = {one.symbol for one in view.classes if all(each.name != attribute for each in view.methods(one))}
    return any(isinstance(one, ast.Call) and view.dotted(one.func) in classes for one in made)


def _is_filled_once(view: FileView, mutation: Mutation) -> bool:
    """Whether it is done while there is nothing in it, and what goes in only was worked out with what a request has."""
    empty = {f"not {ast.unparse(mutation.target)}", f"len({ast.unparse(mutation.target)}) == 0"}
    around = (one for one in view.ancestors(mutation.node) if isinstance(one, ast.If))
    guarded = any(ast.unparse(one.test) in empty for one in around)
    return guarded and not any(identities(view, value, mutation.block, direct=True) for value in mutation.values)


def _is_read_at_once(view: FileView, mutation: Mutation, access: Access) -> bool:
    """Whether the place is written anew by each call and read by that call alone, before another task may run."""
    if mutation.kind != "item":
        return False
    after = list(following(view, mutation.node))
    reads = (use for use in uses(view, access.name) if use is not mutation.target)
    return all(use in after and not view.suspends_between(mutation.node, use, mutation.block) for use in reads)


def _fields(view: FileView, mutation: Mutation) -> tuple[Condition, ...] | None:
    """What must hold elsewhere for all users to have the same keys; `None`: they have keys of their own."""
    given: list[Condition] = []
    for key in _keys(mutation):
        if is_fixed(view, key, mutation.block) or is_listed(view, key, mutation.block):
            continue
        source = field_source(key, mutation.block)
        if source is None or _FOR_ALL.search(ast.unparse(mutation.target)):
            return None
        if is_record(view, source, mutation.block):
            continue
        access = view.access(source, mutation.block)
        if access.kind != "parameter" or access.steps:
            return None
        given.append(GivenRecord(mutation.block.symbol, access.name))
    return tuple(given)


def _keys(mutation: Mutation) -> tuple[ast.expr, ...]:
    """The keys that it is stored under: those of `update({user_id: text})` too."""
    keys = list(mutation.keys) if mutation.name != "insert" else []
    if mutation.name == "update" and isinstance(mutation.node, ast.Call):
        for argument in mutation.node.args:
            # Of another dictionary nobody knows the keys.
            keys += [key for key in argument.keys if key is not None] if isinstance(argument, ast.Dict) else [argument]
    return tuple(keys)
