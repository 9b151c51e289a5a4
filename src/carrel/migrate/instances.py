"""Attributes of instances: where a variable surely holds an instance of a class that moves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carrel.migrate.leads import Lead, Leads
from carrel.migrate.nodes import Nodes
from carrel.migrate.site import Site, make_site
from carrel.source import Binding, Module, Scope

__all__ = ["attribute_sites"]

_DEPTH: Final = 5
"""Variables followed from one to the next."""
_WRAPPERS: Final = frozenset({"Optional", "Union", "Annotated", "Final", "ClassVar"})


@dataclass(frozen=True, slots=True)
class _Held:
    """The classes whose instance an expression holds, as dotted names."""

    classes: tuple[str, ...] = ()
    mixed: str = ""


def attribute_sites(
    module: Module, nodes: Nodes, names: frozenset[str], attributes: frozenset[str], leads: Leads
) -> Iterator[Site]:
    """Uses of `attributes` on what leads to one of `names`: the class itself, or a variable that holds an instance.

    A variable holds one when it is assigned a call of the class, or is annotated with it; `self` does in subclasses.
    """
    instances = _Instances(module, nodes, names, leads)
    for node in nodes.attributes:
        if node.attr in attributes:
            scope = module.scope_of(node)
            held = instances.held(node.value, scope)
            if held.classes:
                yield _site(module, node.attr, node, held, scope)
    for function in nodes.functions:
        if function.name in attributes:
            scope = module.scope_of(function)
            classes = instances.bases(scope.node) if isinstance(scope.node, ast.ClassDef) else ()
            if classes:
                problem = f"`{function.name}` overrides what is renamed"
                yield _site(module, function.name, function, _Held(classes, problem), scope)


def _site(module: Module, name: str, node: ast.expr | ast.stmt, held: _Held, scope: Scope) -> Site:
    if isinstance(node, ast.Attribute):
        line, end = node.end_lineno or node.lineno, node.end_col_offset or 0
        place = (line, end - len(name.encode()), line, end)
    else:
        start = module.text.offset(node.lineno, node.col_offset)
        column = node.col_offset + module.text.utf8.index(name.encode(), start + 4) - start
        place = (node.lineno, column, node.lineno, column + len(name.encode()))
    targets = tuple(f"{one}.{name}" for one in held.classes)
    return make_site(module, place, "attribute", targets, scope, mixed=held.mixed)


class _Instances:
    def __init__(self, module: Module, nodes: Nodes, names: frozenset[str], leads: Leads) -> None:
        self._module = module
        self._names = names
        self._leads = leads
        self._fields: dict[tuple[ast.AST, str], list[ast.stmt | None]] = {}
        for node in nodes.attributes:
            if isinstance(node.ctx, ast.Store):
                self._note_field(node)

    def held(self, expression: ast.expr, scope: Scope, depth: int = _DEPTH) -> _Held:
        if isinstance(expression, ast.Call):
            return _Held(self._named(self._leads.of(expression.func)))
        itself = self._named(self._leads.of(expression))
        if itself:
            return _Held(itself)
        if depth and isinstance(expression, ast.Name):
            found = scope.lookup(expression.id)
            bindings = found[1] if found is not None else []
            held = [self._bound(binding, depth) for binding in bindings if binding.kind not in ("augmented", "delete")]
            return _merged(expression.id, held)
        if depth and isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
            owner = _class_around(scope)
            if owner is not None and expression.value.id == "self":
                stores = self._fields.get((owner, expression.attr), [])
                return _merged(f"self.{expression.attr}", [self._stored(store, depth) for store in stores])
        return _Held()

    def bases(self, node: ast.ClassDef) -> tuple[str, ...]:
        """The classes looked for that a class inherits from directly."""
        found = [name for base in node.bases for name in self._named(self._leads.of(base))]
        return tuple(dict.fromkeys(found))

    def _named(self, lead: Lead) -> tuple[str, ...]:
        return tuple(target for target in lead.targets if target.rpartition(".")[2] in self._names)

    def _bound(self, binding: Binding, depth: int) -> _Held | None:
        """What one binding gives; `None` when it gives no object at all."""
        node = binding.node
        if isinstance(node, ast.arg):
            if node.annotation is not None:
                return _Held(self._annotated(node.annotation, binding.scope))
            owner = _class_around(binding.scope)
            return _Held(self.bases(owner)) if owner is not None and node.arg == "self" else _Held()
        statement = self._module.parent(node)
        if isinstance(statement, ast.withitem):
            return self._value(statement.context_expr, depth)
        if isinstance(statement, ast.NamedExpr):
            return self._value(statement.value, depth)
        return self._stored(statement, depth)

    def _stored(self, statement: ast.AST | None, depth: int) -> _Held | None:
        """What an assignment stores; nothing is known of other statements."""
        if isinstance(statement, ast.AnnAssign):
            return _Held(self._annotated(statement.annotation, self._module.scope_of(statement)))
        return self._value(statement.value, depth) if isinstance(statement, ast.Assign) else _Held()

    def _value(self, value: ast.expr, depth: int) -> _Held | None:
        if isinstance(value, ast.Constant) and value.value is None:
            return None
        if isinstance(value, ast.Call):
            return _Held(self._named(self._leads.of(value.func)))
        # A class that is assigned is not an instance of itself.
        if isinstance(value, ast.Name) and not self._leads.of(value).targets:
            return self.held(value, self._module.scope_of(value), depth - 1)
        return _Held()

    def _annotated(self, annotation: ast.expr, scope: Scope) -> tuple[str, ...]:
        match annotation:
            case ast.Constant(value=str() as text):
                try:
                    return self._annotated(ast.parse(text.strip(), mode="eval").body, scope)
                except (SyntaxError, ValueError):
                    return ()
            case ast.BinOp(op=ast.BitOr()):
                sides = [self._annotated(side, scope) for side in (annotation.left, annotation.right)]
                none = [isinstance(side, ast.Constant) for side in (annotation.left, annotation.right)]
                return sides[1] if none[0] else sides[0] if none[1] else ()
            case ast.Subscript():
                name = annotation.value.attr if isinstance(annotation.value, ast.Attribute) else ""
                name = name or getattr(annotation.value, "id", "")
                inner = annotation.slice.elts[0] if isinstance(annotation.slice, ast.Tuple) else annotation.slice
                return self._annotated(inner, scope) if name in _WRAPPERS else ()
        return self._named(self._leads.of(annotation, scope))

    def _note_field(self, node: ast.Attribute) -> None:
        """`self.engine = …` in a method."""
        owner = _class_around(self._module.scope_of(node))
        if owner is None or not isinstance(node.value, ast.Name) or node.value.id != "self":
            return
        statement = self._module.parent(node)
        known = statement if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        self._fields.setdefault((owner, node.attr), []).append(known)


def _merged(name: str, held: list[_Held | None]) -> _Held:
    known = [one for one in held if one is not None]
    classes = tuple(dict.fromkeys(target for one in known for target in one.classes))
    unknown = any(not one.classes for one in known)
    return _Held(classes, f"`{name}` may hold something else, too" if classes and unknown else "")


def _class_around(scope: Scope) -> ast.ClassDef | None:
    """The class whose method a scope is in."""
    inner: Scope | None = scope.function
    while inner is not None and inner.kind != "class":
        inner = inner.parent
    return inner.node if inner is not None and isinstance(inner.node, ast.ClassDef) else None
