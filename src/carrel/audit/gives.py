"""What a function gives back that its callers in other files have to know of."""

from __future__ import annotations

import ast
import re
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.callers import names_user, prover
from carrel.audit.data_conditions import Given
from carrel.audit.file_view import FileView
from carrel.audit.fixed_paths import gives_fixed_path
from carrel.audit.held import text_of
from carrel.audit.nobody import gives_stand_in
from carrel.audit.origins import called_name, is_made, parameters_in
from carrel.audit.sent import claimed, is_request, origins

__all__ = ["collected_by", "given_back", "gives_none"]

_BY_ID: Final = re.compile(r"(?is)\s*select\b(.*?)\bfrom\b.*?\bwhere\b(.*?\bid\s*=\s*(?:\$\d|%s|\?|:\w+).*)")
_OWNER: Final = re.compile(r"(?i)\b(?:owner|user|tenant|account|customer|created_by|author)(?:_id)?\b")

_PUTS: Final = frozenset({"append", "appendleft", "add", "extend"})


def given_back(view: FileView, function: Block) -> tuple[Given, ...]:
    """Everything of `Given` that some value of the function is."""
    found: list[Given] = []
    if _gives_claimed(view, function):
        found.append("claimed")
    if _gives_sent(view, function):
        found.append("sent")
    if gives_stand_in(view, function):
        found.append("stand-in")
    if gives_fixed_path(view, function):
        found.append("fixed-path")
    if _gives_anybodys_row(view, function):
        found.append("anybodys-row")
    if _gives_collected(view, function):
        found.append("collected")
    if _gives_of_last_call(view, function):
        found.append("of-last-call")
    return tuple(found)


def _gives_sent(view: FileView, function: Block) -> bool:
    """Whether it is handed a request, and what it gives is what the client sent, or stands in for it."""
    if not any(is_request(view, ast.Name(one.name), function) for one in function.parameters):
        return False
    values = (one.value for one in function.nodes(ast.Return) if one.value is not None)
    parts = [part for value in values for part in origins(view, value, function)]
    sent = [bool(claimed(view, one, function)) for one in parts]
    return any(sent) and all(
        sure or isinstance(one, ast.Constant) or is_made(one) for sure, one in zip(sent, parts, strict=True)
    )


def gives_none(function: Block) -> bool:
    """Whether a `return` gives `None`, or what `getattr(user, "id", None)` has instead of a value."""
    given = [statement.value for statement in function.nodes(ast.Return)]
    return any(map(_is_none, given)) and any(value is not None and not isinstance(value, ast.Constant)
                                             for value in given)  # fmt: skip


def _is_none(value: ast.expr | None) -> bool:
    match value:
        case None:
            return True
        case ast.Constant():
            return value.value is None
        case ast.IfExp():
            return _is_none(value.body) or _is_none(value.orelse)
        case ast.Call() if isinstance(value.func, ast.Name) and value.func.id == "getattr" and len(value.args) == 3:
            return _is_none(value.args[2])
    return False


def _gives_collected(view: FileView, function: Block) -> bool:
    """Whether it gives a whole container of the module into which another function puts what it is handed."""
    for returned in function.nodes(ast.Return):
        value = returned.value
        is_copy = isinstance(value, ast.Call) and called_name(value) in ("list", "tuple", "sorted", "reversed", "copy")
        inner = value.args[0] if is_copy and isinstance(value, ast.Call) and value.args else value
        access = view.access(inner, function) if isinstance(inner, ast.Name) else None
        if access is None or access.kind != "global" or access.steps:
            continue
        for mutation in view.mutations:
            puts = mutation.kind == "method" and mutation.name in _PUTS
            here = any(one.kind == "global" and one.name == access.name and not one.steps for one in mutation.accesses)
            if puts and here and any(parameters_in(view, one, mutation.block) for one in mutation.values):
                return True
    return False


def collected_by(view: FileView, function: Block) -> tuple[tuple[str, str], ...]:
    """The methods, each with a parameter, that put it into a container of their object which this method gives all of.

    `return list(self.lines)`, `return [dict(one) for one in self.lines]`, beside `self.lines.append(line)`.
    """
    owner, found = function.class_, dict[tuple[str, str], None]()
    given = [one for returned in function.nodes(ast.Return) for one in _all_of(returned.value)] if owner else []
    names = {one.attr for one in given if isinstance(one.value, ast.Name) and one.value.id == function.receiver}
    for mutation in view.mutations if names else ():
        puts = mutation.kind == "method" and mutation.name in _PUTS and mutation.block.class_ is owner
        if puts and any(one.kind == "self" and one.steps[:1] and one.steps[0] in names and len(one.steps) == 1
                        for one in mutation.accesses):  # fmt: skip
            for value in mutation.values:
                for name in parameters_in(view, value, mutation.block):
                    found[mutation.block.symbol, name] = None
    return tuple(found)


def _all_of(value: ast.expr | None) -> list[ast.Attribute]:
    """The attribute whose elements the value has all of."""
    match value:
        case ast.Attribute():
            return [value]
        case (
            ast.Call(func=ast.Name(id="list" | "tuple" | "sorted" | "reversed" | "str"), args=[inner, *_])
            | ast.Call(func=ast.Attribute(attr="join", value=ast.Constant()), args=[inner])
        ):
            return _all_of(inner)
        case ast.Call(func=ast.Attribute(attr="copy", value=inner), args=[]):
            return _all_of(inner)
        case ast.ListComp(generators=[one]) | ast.GeneratorExp(generators=[one]) if not one.ifs:
            return _all_of(one.iter)
    return []


def _gives_of_last_call(view: FileView, function: Block) -> bool:
    """Whether a method gives what another method keeps on the object of its arguments: `return {"last": self.form}`."""
    if function.class_ is None or not function.receiver:
        return False
    read = {
        one.attr
        for returned in function.nodes(ast.Return)
        if returned.value is not None
        for one in ast.walk(returned.value)
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == function.receiver
    }
    if not read:
        return False
    for mutation in view.mutations:
        other = mutation.block
        if other.class_ is not function.class_ or other.is_initializer or other is function:
            continue
        if mutation.kind == "attribute" and mutation.name in read and any(
            one.kind == "self" and not one.steps for one in mutation.accesses
        ) and any(parameters_in(view, one, other) for one in mutation.values):  # fmt: skip
            return True
    return False


def _gives_anybodys_row(view: FileView, function: Block) -> bool:
    """Whether it gives what a statement selects by an id alone, with a column that says whose it is."""
    given = [one.value for one in function.nodes(ast.Return) if one.value is not None]
    for value in (made for one in given for made in origins(view, one, function)):
        for call in ast.walk(value):
            text = text_of(call.args[0]) if isinstance(call, ast.Call) and call.args else ""
            selected = _BY_ID.match(text)
            if selected is not None and _OWNER.search(selected[1]) and not _OWNER.search(selected[2]):
                return True
    return False


def _gives_claimed(view: FileView, function: Block) -> bool:
    """Whether it gives who the client says that it is: `return request.headers["x-tenant-id"]`."""
    values = [one.value for one in function.nodes(ast.Return) if one.value is not None]
    parts = [part for value in values for part in origins(view, value, function)]
    said = [claimed(view, part, function) for part in parts]
    # A helper that also knows who is calling may have compared the two.
    return bool(said) and all(said) and any(map(names_user, said)) and not prover(view, function)
