"""Where the names of one file lead, by its imports."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from carrel.source import Binding, Module, Scope

__all__ = ["Lead", "Leads", "is_fallback"]

NOTHING: Final = frozenset({"annotation", "augmented", "delete"})
"""Kinds of bindings that give a name no other value than it had."""


@dataclass(frozen=True, slots=True)
class Lead:
    """What an expression may stand for."""

    targets: tuple[str, ...] = ()
    aliased: bool = False
    """An assignment lies between: `Engine = facade.Engine`, then `Engine`."""
    star: bool = False
    stars: tuple[str, ...] = ()
    """Where star imports that its other bindings do not hide would lead, should they bring the name."""
    mixed: str = ""
    doubt: str = ""


class Leads:
    """Follows names and chains of attributes of one module to what its imports bind them to."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._known: dict[tuple[Scope, str], Lead] = {}

    def of(self, expression: ast.expr, scope: Scope | None = None) -> Lead:
        """Where an expression leads; a lead without targets when it leads out of no import."""
        if isinstance(expression, ast.Name):
            return self.of_name(expression.id, scope or self._module.scope_of(expression))
        if isinstance(expression, ast.Attribute):
            base = self.of(expression.value, scope)
            targets = tuple(f"{target}.{expression.attr}" for target in base.targets)
            stars = tuple(f"{star}.{expression.attr}" for star in base.stars)
            return Lead(targets, stars=stars, mixed=base.mixed, doubt=base.doubt)
        module = _imported_by_string(expression)
        if module:
            return Lead((module,), doubt="its module is imported by a string")
        return Lead()

    def of_name(self, name: str, scope: Scope) -> Lead:
        """Where a name leads that is used in a scope."""
        key = scope, name
        found = self._known.get(key)
        if found is None:
            self._known[key] = Lead()  # a name that is assigned to itself ends here
            found = self._known[key] = self._of_name(name, scope)
        return found

    def _of_name(self, name: str, scope: Scope) -> Lead:
        found = scope.lookup(name)
        if found is None:
            return Lead(self._starred(name), star=True)
        home, bindings = found
        targets: list[str] = []
        others: list[Binding] = []
        aliased = False
        doubt = ""
        for binding in bindings:
            if binding.target is not None:
                imported = self._module.imported(binding)
                if imported:
                    targets.append(imported)
            elif binding.kind in NOTHING or is_fallback(self._module, binding):
                continue
            elif binding.kind == "assignment" and binding.value is not None and _plain(self._module, binding):
                inner = self.of(binding.value, home)
                targets.extend(inner.targets)
                aliased = aliased or bool(inner.targets)
                doubt = doubt or inner.doubt
                if not inner.targets:
                    others.append(binding)
            else:
                others.append(binding)
        mixed = ""
        if targets and others:
            line = getattr(others[0].node, "lineno", 0)
            mixed = f"`{name}` is also bound in line {line} ({others[0].kind.replace('_', ' ')})"
        # A binding under a condition leaves what a star has bound before.
        always = [binding.node for binding in bindings if not self._module.guard(binding.node)]
        last = max((getattr(node, "lineno", 0) for node in always), default=0)
        stars = self._starred(name, last) if targets and home is self._module.scope else ()
        return Lead(tuple(dict.fromkeys(targets)), aliased, stars=stars, mixed=mixed, doubt=doubt)

    def _starred(self, name: str, line: int = 0) -> tuple[str, ...]:
        """What star imports behind a line would bind a name to."""
        stars = [one for one in self._module.scope.stars if one[0].lineno > line]
        modules = [self._module.name.absolute(level, module) for _, level, module in stars]
        return tuple(f"{module}.{name}" for module in modules if module)


def is_fallback(module: Module, binding: Binding) -> bool:
    """Whether a binding only stands in for an import that failed: `X = None`, or what the handler defines."""
    if binding.kind in ("assignment", "class", "function"):
        empty = isinstance(binding.value, ast.Constant) and binding.value.value is None
        return empty or module.guard(binding.node) == "except"
    return False


def _plain(module: Module, binding: Binding) -> bool:
    """Whether the whole value is assigned, and not a part of it."""
    owner = module.parent(binding.node)
    return isinstance(owner, ast.Assign | ast.AnnAssign)


def _imported_by_string(expression: ast.expr) -> str:
    if isinstance(expression, ast.Call) and len(expression.args) == 1:
        called = expression.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        argument = expression.args[0]
        if name == "import_module" and isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return argument.value
    return ""
