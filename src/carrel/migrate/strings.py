"""Names that stand in strings: targets of patches, dotted names, `__all__`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.migrate.leads import Leads
from carrel.migrate.nodes import Nodes
from carrel.migrate.reference import Kind
from carrel.migrate.site import Site, make_site
from carrel.source import Module

__all__ = ["string_sites"]

_DOTTED: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+(?::[^\W\d]\w*(?:\.[^\W\d]\w*)*)?|[^\W\d]\w*:[^\W\d]\w*")
_OPENING: Final = re.compile(r"""[uUrR]?(\"{3}|'{3}|\"|')""")
_BY_DOTTED_NAME: Final = frozenset(
    {"patch", "setattr", "delattr", "import_string", "locate", "resolve_name", "spy", "stub"}
)
_BY_NAME: Final = frozenset({"object", "setattr", "delattr", "getattr", "hasattr", "spy", "stub", "attrgetter"})
_WRITTEN_IN_PIECES: Final = "the string is written in pieces or with escapes"


def string_sites(module: Module, nodes: Nodes, names: frozenset[str], leads: Leads) -> Iterator[Site]:
    """Strings that spell a dotted name with one of `names` in it, or one of them where a call or `__all__` reads it."""
    for node in nodes.strings:
        value = str(node.value)
        if any(name in value for name in names):
            yield from _string(module, node, value, names, leads)
    for keyword in nodes.keywords:
        if keyword.arg in names:
            yield from _multiple(module, keyword, leads)


def _string(module: Module, node: ast.Constant, value: str, names: frozenset[str], leads: Leads) -> Iterator[Site]:
    parent = module.parent(node)
    call = module.parent(parent) if isinstance(parent, ast.keyword) else parent
    if value in names:
        if isinstance(call, ast.Call) and len(call.args) > 1 and call.args[1] is node and _called(call) in _BY_NAME:
            lead = leads.of(call.args[0])
            if lead.targets:
                targets = tuple(f"{target}.{value}" for target in lead.targets)
                yield _quoted(module, node, value, "patch_target", targets, mixed=lead.mixed, doubt=lead.doubt)
        elif _in_dunder_all(module, node):
            lead = leads.of_name(value, module.scope)
            if lead.targets and not lead.aliased:
                yield _quoted(module, node, value, "dunder_all", lead.targets, bound=value, star=lead.star)
    elif _DOTTED.fullmatch(value):
        dotted = value.replace(":", ".")
        if names.isdisjoint(dotted.split(".")) or isinstance(parent, ast.Expr | ast.JoinedStr):
            return
        read = isinstance(call, ast.Call) and _called(call) in _BY_DOTTED_NAME and ":" not in value
        doubt = "" if read else "a string spells its name; whether code reads it is not known"
        yield _quoted(module, node, value, "patch_target", (dotted,), doubt=doubt)


def _multiple(module: Module, node: ast.keyword, leads: Leads) -> Iterator[Site]:
    """`patch.multiple("package.module", Name=…)`."""
    call = module.parent(node)
    if not isinstance(call, ast.Call) or _called(call) != "multiple" or not call.args or node.arg is None:
        return
    first = call.args[0]
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        bases: tuple[str, ...] = (first.value,)
    else:
        bases = leads.of(first).targets
    if bases:
        place = (node.lineno, node.col_offset, node.lineno, node.col_offset + len(node.arg.encode()))
        targets = tuple(f"{base}.{node.arg}" for base in bases)
        yield make_site(module, place, "patch_target", targets, module.scope_of(call))


def _quoted(
    module: Module, node: ast.Constant, value: str, kind: Kind, targets: tuple[str, ...], *,
    bound: str = "", star: bool = False, mixed: str = "", doubt: str = "",
) -> Site:  # fmt: skip
    """A site for the text between the quotes; for the whole literal when that is not the text of the string."""
    literal = module.text.segment(node)
    opening = _OPENING.match(literal)
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    place = (node.lineno, node.col_offset, end_line, end_column)
    quote = opening[1] if opening else ""
    if opening and end_line == node.lineno and literal[opening.end() : len(literal) - len(quote)] == value:
        place = (node.lineno, node.col_offset + opening.end(), end_line, end_column - len(quote))
    else:
        doubt = doubt or _WRITTEN_IN_PIECES
    return make_site(
        module, place, kind, targets, module.scope_of(node), bound=bound, star=star, mixed=mixed, doubt=doubt
    )


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _in_dunder_all(module: Module, node: ast.AST) -> bool:
    parent = module.parent(node)
    while isinstance(parent, ast.List | ast.Tuple | ast.Set | ast.BinOp | ast.Starred):
        parent = module.parent(parent)
    match parent:
        case ast.Assign():
            targets: list[ast.expr] = parent.targets
        case ast.AnnAssign() | ast.AugAssign():
            targets = [parent.target]
        case ast.Call(func=ast.Attribute(value=ast.Name() as owner)):
            targets = [owner]
        case _:
            return False
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)
