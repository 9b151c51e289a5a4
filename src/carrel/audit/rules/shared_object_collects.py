"""An object that all requests use collects what each of them says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.chains import chain_names
from carrel.audit.conditions import FieldRead, HasEntryPoints, NamedElsewhere, Not, OnShared, Reachable, SharedClass
from carrel.audit.conversations import given_conversations
from carrel.audit.file_view import FileView
from carrel.audit.logged import logged_getters
from carrel.audit.mutations import Mutation
from carrel.audit.origins import is_fixed, leaves
from carrel.audit.reads import compares_owner
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sharing import brought, grades_of, is_configuration_name, is_guarded, reached, where
from carrel.audit.taint import Taint
from carrel.findings import RuleInfo

__all__ = ["SharedObjectCollects"]

_WRITES: Final = frozenset({"append", "appendleft", "extend", "insert"})
_SETTING: Final = re.compile(
    r"(?i)(?:settings|config|options?|params|headers|registry|defaults|flags|env|kwargs|by_\w+)$"
)
_FOR_ALL: Final = re.compile(
    r"(?i)repo|store|storage|regist|manager|pool|queue|bus\b|broker|cache|database|\bdb|listener|handler|callback|hook|"
    r"plugin|task|job|pending|event|log|metric|stat|trace|client|connection|socket|observer|subscri|middleware|buffer|"
    r"catalog|index|known|router|routes|worker|process|scheduler|collector|recorder|monitor|span|error|warning|watch"
)
"""What holds the things of all users on purpose is called so, and what counts and watches them."""
_SAID: Final = re.compile(r"^(?:user_)?(?:text|messages?|prompt|content|question|query|utterance|reply|answer|turn)$")
"""What the words of a user are called."""
_HELD: Final = frozenset(
    {"history", "messages", "transcript", "memory", "turns", "conversation", "chat_history", "dialog", "scratchpad"}
)
"""What a conversation is called."""
_WORK: Final = re.compile(r"(?:^|_)to_(?:run|do|send|process|handle|execute)$|(?:^|_)(?:queue|jobs)$")
"""What waits for a worker, which takes each of it once, is called so."""
_SUBSCRIBES: Final = frozenset({"subscribe", "add_subscriber", "add_listener"})


class SharedObjectCollects:
    """`self.transcript.append(text)` in a class whose one object a cached or lazy getter gives to everybody."""

    info = RuleInfo(
        rule="shared-object-collects",
        code="CAR006",
        severity="error",
        title="A getter gives everybody one object that collects what users say",
        why="The object is made at the first request and kept. What one user says stays in it and is part of what the "
        "next user's request works with.",
        fix="Cache what holds no conversation (the model, the client); make the object around it for each request.",
        page=rule_page("shared-object-collects"),
        leak_classes=(6,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        seen: set[tuple[str, str]] = set()
        for mutation in view.mutations:
            access = _collected(view, mutation)
            if access is None or access.block is None or access.block.class_ is None:
                continue
            owner = access.block.class_
            if _WORK.search(access.steps[-1]):
                continue
            if _takes_out(view, owner, access.steps[0]) or _gives_each_their_own(view, owner, access.steps[0]):
                continue
            taint = brought(view, mutation.values, mutation.block)
            if taint is not None and (owner.symbol, access.steps[0]) not in seen:
                seen.add((owner.symbol, access.steps[0]))
                yield self._candidate(view, mutation, owner.symbol, access.steps[0], taint)
        for node, function in given_conversations(view):
            message = f"`{function.name}` keeps one object for all, which a library makes to hold a conversation"
            yield view.candidate(self.info, node, message, block=function,
                                 grades=(Grade("error", (Reachable(function.symbol),)), Grade("info")))  # fmt: skip

    def _candidate(self, view: FileView, mutation: Mutation, owner: str, name: str, taint: Taint) -> Candidate:
        message = f"`{mutation.block.name}` adds {taint.reason} to `self.{name}` of an object that every request uses"
        grades = grades_of(view, taint, mutation.block)
        if name.strip("_") in _HELD and taint.by == "parameter":
            grades = (grades[0], Grade("warning", (Not(HasEntryPoints()),)), Grade("info"))
        elif taint.by == "name" and name.strip("_") not in _HELD:
            # In a library a name alone, such as `profile`, may be of something else.
            grades = tuple(one for one in grades if one.severity != "warning")
        elif taint.by == "parameter":
            # One slot that each call fills anew says something by itself, one more entry does not.
            grades = (Grade("info", () if mutation.kind == "item" else taint.given),)
            said = _SAID.search(taint.parameter) or not _FOR_ALL.search(f"{owner.rpartition('.')[2]}.{name}")
            if said and not _empties(view, mutation, name):
                grades = (Grade("warning", (*taint.given, *reached(view, mutation.block))), *grades)
        grades = where(grades, (FieldRead(owner, name, ""),))
        if mutation.name == "update":
            # It may be by keys that tell users apart: then nobody gives out the whole.
            read = FieldRead(owner, name, mutation.block.symbol, directly=True)
            grades = (Grade("warning", (*taint.given, read, *reached(view, mutation.block))), Grade("info"))
        place = mutation.target
        while isinstance(place, ast.Subscript):
            place = place.value
        configures = is_configuration_name(chain_names(place)[-1])
        is_held = mutation.kind == "item" and (configures or is_guarded(view, mutation))
        if is_held or _is_listened_to(view, mutation.block) or _is_drained(view, mutation.block, name):
            grades = (Grade("info"),)
        grades = where(grades, (OnShared(mutation.block.symbol),))
        getters = logged_getters(view, mutation.block, name)
        if getters:
            # Another file may give out what this one only logs.
            grades = (Grade("info", tuple(Not(NamedElsewhere(one.symbol)) for one in getters)), *grades)
        return view.candidate(self.info, mutation.node, message, block=mutation.block, given=(SharedClass(owner),),
                              grades=grades)  # fmt: skip


def _collected(view: FileView, mutation: Mutation) -> Access | None:
    """The container of the object that something is put into where every caller finds it."""
    block = mutation.block
    grown = isinstance(mutation.node, ast.AugAssign) and isinstance(mutation.values[0], ast.List)
    if block.is_initializer or mutation.removes or not (grown or mutation.kind in ("method", "item")):
        return None
    if mutation.is_other or (mutation.kind == "method" and mutation.name not in _WRITES and not _merges(mutation)):
        return None
    if any(isinstance(key, ast.Slice) and not (key.lower or key.upper) for key in mutation.keys):
        return None  # `self.frame[:] = data` collects nothing: all of it is another
    if mutation.kind == "item" and not all(is_fixed(view, key, block) for key in mutation.keys):
        return None
    for access in mutation.accesses:
        keyed = not all(is_fixed(view, key, block) for key in access.keys)
        steps = (*access.steps, mutation.name) if mutation.kind == "attribute" else access.steps
        if access.kind == "self" and steps and "()" not in steps and not keyed:
            return replace(access, steps=steps)
    return None


def _empties(view: FileView, mutation: Mutation, name: str) -> bool:
    """Whether the class begins anew with what it collects, or takes it out again: a batch, a queue.

    Who answers a caller with all of it before is none: by then it has what others have put there.
    """
    return any(
        one.block.class_ is mutation.block.class_ and not one.block.is_initializer
        and not _answers_with(view, one.block, name)
        and (one.name == name if one.kind == "attribute" else one.removes)
        and any(access.steps[:1] in ((), (name,)) for access in one.accesses)
        for one in view.mutations
    )  # fmt: skip


def _answers_with(view: FileView, method: Block, name: str) -> bool:
    """Whether a coroutine gives its caller what it was told, while it waited, of all that the object has collected."""
    given = (one.value for one in method.nodes(ast.Return) if one.value is not None)
    made_of = (leaf for value in given for leaf, _ in leaves(view, value, method))
    return view.suspends(method) and any(
        isinstance(one, ast.Attribute) and one.attr == name and isinstance(one.value, ast.Name)
        and one.value.id == method.receiver and not _is_counted(view, one)
        for leaf in made_of for one in ast.walk(leaf)
    )  # fmt: skip


def _is_counted(view: FileView, node: ast.expr) -> bool:
    around = view.module.parent(node)
    return isinstance(around, ast.Call) and isinstance(around.func, ast.Name) and around.func.id == "len"


def _is_listened_to(view: FileView, method: Block) -> bool:
    """Whether it is a stream of events that others subscribe to: all of them are meant to hear what comes."""
    return method.class_ is not None and any(one.name in _SUBSCRIBES for one in view.methods(method.class_))


def _merges(mutation: Mutation) -> bool:
    """Whether everything in an argument goes in, under whatever keys it has: `self.answers.update(values)`."""
    plain = len(mutation.values) == 1 and isinstance(mutation.values[0], ast.Name)
    owner = mutation.block.class_.name if mutation.block.class_ is not None else ""
    is_setting = any(_SETTING.search(name) for name in (ast.unparse(mutation.target), owner))
    return mutation.name == "update" and plain and not is_setting


def _takes_out(view: FileView, owner: Block, name: str) -> bool:
    """Whether the class takes out again what it put in: a list of who is connected, not of what was said."""
    removals = (one for one in view.mutations if one.kind == "method" and one.name in ("remove", "discard"))
    if any(access.own_class is owner and access.steps == (name,) for one in removals for access in one.accesses):
        return True
    assigns = (assign for method in view.methods(owner) for assign in method.nodes(ast.Assign))
    return any(
        _is_without(assign.value, text)
        for assign in assigns
        for target in assign.targets
        if (text := ast.unparse(target)).startswith(f"self.{name}")
    )


def _is_drained(view: FileView, method: Block, name: str) -> bool:
    """Whether the class takes all of it and puts an empty one there: `batch, self.batch = self.batch, []`."""
    container = f"self.{name}"
    for one in view.methods(method.class_) if method.class_ is not None else ():
        for assign in one.nodes(ast.Assign):
            match assign:
                case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                    if container in map(ast.unparse, targets) and container in map(ast.unparse, values):
                        return True
    return False


def _gives_each_their_own(view: FileView, owner: Block, name: str) -> bool:
    """Whether every method that reads what was put in compares whose it is with whom it is asked for."""
    readers = [method for method in view.methods(owner) if _reads(view, method, name)]
    return bool(readers) and all(map(compares_owner, readers))


def _reads(view: FileView, method: Block, name: str) -> bool:
    for node in method.nodes(ast.Attribute):
        around = view.module.parent(node)
        puts_in = isinstance(around, ast.Attribute) and around.attr in _WRITES
        if node.attr == name and isinstance(node.ctx, ast.Load) and not puts_in:
            return True
    return False


def _is_without(value: ast.expr, container: str) -> bool:
    """Whether the value is the container without some of its elements."""
    match value:
        case ast.ListComp(generators=[ast.comprehension(iter=iterated, ifs=[_, *_])]):
            # `self.active = [entry for entry in self.active if entry is not gone]`
            return ast.unparse(iterated) == container
        case ast.Call(func=ast.Name(id="filter"), args=[_, iterated]):
            return ast.unparse(iterated) == container
        case ast.Call(args=[inner]):
            # `self.waiting = list(filter(lambda entry: entry.token != token, self.waiting))`
            return _is_without(inner, container)
    return False
