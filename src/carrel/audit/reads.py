"""Whether what was put into a shared container is read again, and how."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.callers import proven
from carrel.audit.chains import chain_names
from carrel.audit.file_view import FileView
from carrel.audit.logged import is_logged
from carrel.audit.mutations import MUTATORS, Mutation
from carrel.audit.origins import called_name, identities
from carrel.audit.persons import is_person, person_in
from carrel.audit.records import is_listed
from carrel.audit.taint import is_identity_like

__all__ = ["changed_fields", "compares_owner", "following", "is_presence_list", "is_read_on_import", "is_whole",
           "read_fields", "read_names", "readers_again", "uses"]  # fmt: skip

_QUIET_CALLS: Final = frozenset({"len", "bool", "id", "type", "isinstance"})
_WHOLE: Final = frozenset({"values", "items", "copy", "popleft", "pop", "popitem", "getvalue", "get_nowait"})
_SCOPE: Final = re.compile(r"^(?:stream|channel|topic|room|group|connection)(?:_?(?:id|name|key))?$")
"""What keeps the entries of some apart from those of others, beside users: the same word on both sides of a test."""
_TESTS: Final = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.If, ast.While, ast.IfExp)
_SENDS: Final = re.compile(r"(?i)send|emit|publish|broadcast|reply|respond|answer|notify|push|render")
_ASKING: Final = frozenset({"me", "myself", "asker", "viewer"})
"""Words for who is asking."""
_KEYED: Final = frozenset({"get", "setdefault", "keys", "__contains__", "index", "count"}) | (MUTATORS - _WHOLE)


def following(view: FileView, statement: ast.AST) -> Iterator[ast.AST]:
    """The nodes of the statement and of what comes after it in the same body, and so never without it."""
    around = view.module.parent(statement)
    for body in (getattr(around, "body", ()), getattr(around, "orelse", ()), getattr(around, "finalbody", ())):
        if isinstance(body, list) and statement in body:
            for one in body[body.index(statement) :]:
                yield from ast.walk(one)


def uses(view: FileView, dotted: str) -> Iterator[ast.expr]:
    """Every expression in the file's functions that is the module-level name itself."""
    last = dotted.rpartition(".")[2]
    for block in view.blocks:
        for name in block.nodes(ast.Name):
            if name.id == last and isinstance(name.ctx, ast.Load) and view.dotted(name) == dotted:
                yield name
        for attribute in block.nodes(ast.Attribute):
            if attribute.attr == last and isinstance(attribute.ctx, ast.Load) and view.dotted(attribute) == dotted:
                yield attribute


def is_read_on_import(view: FileView, dotted: str) -> bool:
    """Whether the module itself gets at what is in the container, otherwise than by a key: who has it then, it does not
    say."""
    return any(is_whole(view, node) for node in uses(view, dotted) if view.block_of(node).kind != "function")


def is_whole(view: FileView, node: ast.expr) -> bool:
    """Whether what the expression gives is handed on or gone through, not only asked by a key."""
    parent = view.module.parent(node)
    match parent:
        case ast.Attribute():
            call = view.module.parent(parent)
            if parent.attr == "get" and isinstance(call, ast.Call) and call.args:
                same = isinstance(call.args[0], ast.Constant) or is_listed(view, call.args[0], view.block_of(node))
                return same and not isinstance(view.module.parent(call), _TESTS)
            if parent.attr in _KEYED:
                return False
            if isinstance(call, ast.Call) and parent.attr == "pop" and call.args:
                return isinstance(call.args[0], ast.Constant)
            return parent.attr in _WHOLE
        case ast.Subscript() if parent.value is node:
            fixed = isinstance(parent.slice, ast.Constant | ast.Slice | ast.UnaryOp)
            return isinstance(parent.ctx, ast.Load) and (fixed or is_listed(view, parent.slice, view.block_of(node)))
        case ast.comprehension() if _is_pruned(view, parent, node):
            return False
        case one if isinstance(one, _TESTS):
            return False
        case ast.Call() if isinstance(parent.func, ast.Name) and parent.func.id in _QUIET_CALLS:
            return False
        case ast.Expr() | ast.Delete():
            return False
    return parent is not None


def _is_pruned(view: FileView, parent: ast.comprehension, node: ast.expr) -> bool:
    """Whether the container is gone through to take something out: `OPEN[:] = [one for one in OPEN if one.here]`."""
    made = view.module.parent(parent)
    assign = view.module.parent(made) if made is not None else None
    targets = assign.targets if isinstance(assign, ast.Assign) else []
    return any(ast.unparse(target).removesuffix("[:]") == ast.unparse(node) for target in targets)


def is_presence_list(view: FileView, dotted: str) -> bool:
    """Whether the file takes out again exactly what it put in: who is connected, which tasks run."""
    for node in uses(view, dotted):
        parent = view.module.parent(node)
        if isinstance(parent, ast.Attribute) and parent.attr in ("remove", "discard"):
            return True
    return False


def compares_owner(reader: Block) -> bool:
    """Whether a comparison in the function is about whose an entry is: `event.user_id == user_id`."""
    refusals = [
        one.test for one in reader.nodes(ast.If) if isinstance(one.body[-1], ast.Continue | ast.Return | ast.Raise)
    ]
    return any(
        _is_about_owner(one)
        and (isinstance(one.ops[0], ast.Eq) or (isinstance(one.ops[0], ast.NotEq) and one in refusals))
        for one in reader.nodes(ast.Compare)
    )


def _picks_own(view: FileView, reader: Block) -> bool:
    """Whether it looks for the entries of who asks: `id = user.id`, and `[one for one in ROWS if one["id"] == id]`.

    What the server has checked is who asks, whatever part of an entry it is compared with: `if one[1] == rider`. So is
    whom the function is told of, where entries are pairs: `for owner, text in ROWS if owner == session_id`.
    """
    for made in reader.nodes(ast.comprehension):
        gone_through = {one.id for one in ast.walk(made.target) if isinstance(one, ast.Name)}
        for test in (part for one in made.ifs for part in _all_of(one)):
            match test:
                case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                    same = _last_name(left) != "" and _last_name(left) == _last_name(right)
                    if same and any(True for side in (left, right) for _ in identities(view, side, reader)):
                        return True
                    sides = ((left, right), (right, left))
                    if any(_root_name(entry) in gone_through and _is_who_asks(view, asked, reader)
                           for entry, asked in sides):  # fmt: skip
                        return True
                    if isinstance(made.target, ast.Tuple) and any(
                        isinstance(entry, ast.Name) and entry.id in gone_through and _is_told(asked, reader)
                        for entry, asked in sides
                    ):
                        return True
    return False


def _is_told(asked: ast.expr, reader: Block) -> bool:
    """Whether it is a parameter that says whose an entry is to be: `session_id`."""
    return isinstance(asked, ast.Name) and reader.parameter(asked.id) is not None and is_identity_like(asked.id)


def _all_of(test: ast.expr) -> list[ast.expr]:
    """The tests that must all hold."""
    return test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]


def _root_name(node: ast.expr) -> str:
    """The name of what the expression is a part of: `event` of `event[1]` and of `event["for"].id`."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_who_asks(view: FileView, node: ast.expr, reader: Block) -> bool:
    """Whether it is who asks, as the server has checked it, for the reader or for a function around it."""
    around: Block | None = reader
    while around is not None and around.kind == "function":
        if proven(view, node, around):
            return True
        around = around.parent
    return False


def _is_about_owner(comparison: ast.Compare) -> bool:
    sides = (comparison.left, *comparison.comparators)
    named = [_last_name(side) for side in sides]
    asked = any(isinstance(side, ast.Name) for side in sides)
    scoped = len(set(named)) == 1 and (_SCOPE.match(named[0]) is not None or bool(person_in(named[0])))
    return asked and len(named) == 2 and (scoped or all(map(_names_somebody, sides, named)))


def _names_somebody(side: ast.expr, named: str) -> bool:
    """Whether a side of a test is somebody, or a number of theirs: `claimant.number`."""
    owner = chain_names(side)[0] if isinstance(side, ast.Attribute) else ""
    return any(one in _ASKING or is_identity_like(one) or is_person(one) for one in (named, owner))


def _last_name(side: ast.expr) -> str:
    match side:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name
    return ""


def changed_fields(view: FileView, function: Block) -> tuple[tuple[str, int], ...]:
    """The attributes of objects whose values the function changes in place, `envelope.rows.append(row)`: as paths."""
    found: dict[str, int] = {}
    for mutation in view.mutations_in(function):
        if mutation.kind in ("item", "method") and not mutation.removes:
            for access in mutation.accesses:
                if _is_field(access):
                    found.setdefault(access.path, getattr(mutation.node, "lineno", 0))
    return tuple(found.items())


def read_fields(view: FileView, function: Block) -> tuple[tuple[str, int], ...]:
    """The attributes of objects that the function reads and hands on as a whole, `return self.answers`: as paths.

    Not of a function that selects by whom it is asked for, nor where it only takes it away: see `_takes_away`.
    """
    nodes = [one for one in function.nodes(ast.Attribute) if isinstance(one.ctx, ast.Load)]
    return _read(view, function, [one for one in nodes if isinstance(one.value, ast.Name | ast.Call)])


def read_names(view: FileView) -> dict[Block, tuple[tuple[str, int], ...]]:
    """By function, the names of modules whose values it reads and hands on as a whole, as `read_fields` does."""
    found: dict[Block, tuple[tuple[str, int], ...]] = {}
    held = {
        name
        for name, bindings in view.top.scope.bindings.items()
        if not name[:1].isupper() or name.isupper()
        if any(one.kind == "from_import" or (one.value is not None and view.value_kind(one.value) == "container")
               for one in bindings)
    }  # fmt: skip
    for function in view.functions if held else ():
        nodes = [one for one in function.nodes(ast.Name) if one.id in held and isinstance(one.ctx, ast.Load)]
        read = _read(view, function, nodes) if nodes else ()
        if read:
            found[function] = read
    return found


def readers_again(view: FileView, mutation: Mutation) -> tuple[str, ...]:
    """The functions of the file that find what the mutation has bound, a name of the module or an attribute of its own
    object: not those that have just bound it themselves."""
    owner = mutation.block.class_
    within = f"{owner.symbol}." if owner is not None and mutation.kind == "attribute" else f"{view.top.symbol}."
    found = []
    for function in view.functions:
        if not function.symbol.startswith(within):
            continue
        reads = [one for one in function.nodes(ast.Name, ast.Attribute) if _is_same(one, mutation)]
        if isinstance(mutation.node, ast.AugAssign) or not reads or _is_local(function, mutation):
            continue
        binds = [one.node for one in view.mutations_in(function)
                 if (one.kind, one.name) == (mutation.kind, mutation.name)]  # fmt: skip
        first = min((getattr(one, "lineno", 0) for one in binds), default=0)
        if not binds or any(
            one.lineno <= first or any(view.suspends_between(bind, one, function) for bind in binds) for one in reads
        ):
            found.append(function.symbol)
    return tuple(found)


def _is_same(node: ast.Name | ast.Attribute, mutation: Mutation) -> bool:
    if not isinstance(node.ctx, ast.Load):
        return False
    if isinstance(node, ast.Name):
        return mutation.kind == "rebind" and node.id == mutation.name
    return mutation.kind == "attribute" and node.attr == mutation.name and isinstance(node.value, ast.Name)


def _is_local(function: Block, mutation: Mutation) -> bool:
    return (
        mutation.kind == "rebind"
        and mutation.name in function.scope.bindings
        and mutation.name not in function.scope.globals
    )


def _read(view: FileView, function: Block, nodes: Sequence[ast.Attribute | ast.Name]) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for node in nodes:
        parent = view.module.parent(node)
        if not is_whole(view, node) or is_logged(view, node):
            continue
        access = view.access(node, function)
        if access.kind == "global" and isinstance(parent, ast.Call) and parent.func is node:
            continue
        if _is_field(access) or (access.kind == "global" and not access.steps):
            found.setdefault(access.path, node.lineno)
    if found and (compares_owner(function) or _picks_own(view, function)):
        return ()
    return tuple((path, line) for path, line in found.items() if not _takes_away(view, function, path))


def _takes_away(view: FileView, function: Block, path: str) -> bool:
    """Whether the function empties the container and gives nothing of it to anybody: it writes a buffer out."""
    empties = any(
        (mutation.name == "clear" or mutation.kind in ("delete", "rebind", "attribute"))
        and any(_place(mutation, access) == path for access in mutation.accesses)
        and not any(isinstance(key, ast.Slice) and (key.lower or key.upper) for key in mutation.keys)  # cut to size
        for mutation in view.mutations_in(function)
    )
    return (
        empties
        and not any(one.value is not None for one in function.nodes(ast.Return, ast.Yield))
        and not any(_SENDS.search(called_name(one)) for one in function.nodes(ast.Call))
    )


def _place(mutation: Mutation, access: Access) -> str:
    return f"{access.path}.{mutation.name}" if mutation.kind == "attribute" else access.path


def _is_field(access: Access) -> bool:
    if access.kind in ("self", "class"):
        return len(access.steps) == 1
    if access.kind == "global":
        # `app.desk.answers`, of which only the whole project knows where the object ends and the attribute begins.
        called = access.steps == ("()",)  # `filters = make_filters()`: what a function gives
        return access.name.count(".") > 1 if not access.steps else called or access.steps[-1] not in ("()", "[]")
    return access.kind == "parameter" and len(access.steps) == 1
