"""One parsed file, with what every name in it is bound to as far as the file alone tells."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from typing import Final, Literal

from carrel.source.module_names import ModuleName
from carrel.source.scope_builder import build_scopes
from carrel.source.scopes import Binding, Scope, ScopeTree, Use
from carrel.source.text import SourceText

__all__ = ["Guard", "Module", "read_module"]

Guard = Literal["", "type_checking", "try", "except", "if"]
"""Under what a statement stands: `if TYPE_CHECKING`, the body or the handler of a `try`, another `if`."""
_BUILTINS: Final = frozenset(dir(builtins))
_DEPTH: Final = 20


@dataclass(slots=True, eq=False)
class Module:
    """A file that parses. Dotted names are absolute: `package.module.Class.method`, `fastapi.Request`."""

    path: str
    name: ModuleName
    text: SourceText
    tree: ast.Module
    scopes: ScopeTree

    @property
    def scope(self) -> Scope:
        """The module's own scope."""
        return self.scopes.module

    @property
    def uses(self) -> list[Use]:
        return self.scopes.uses

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self.scopes.parents.get(node)

    def scope_of(self, node: ast.AST) -> Scope:
        """The scope that the node is evaluated in."""
        return self.scopes.scope_of(node)

    def opened_by(self, node: ast.AST) -> Scope:
        """The scope that a module, class, function, lambda or comprehension opens."""
        return self.scopes.scopes[node]

    def symbol(self, scope: Scope) -> str:
        """The dotted name of a scope: the module's own for the module."""
        inner = scope.qualified_name
        return f"{self.name.dotted}.{inner}" if inner else self.name.dotted

    def imported(self, binding: Binding) -> str | None:
        """The dotted name that an import binds; `None` for other bindings and imports past the top package."""
        if binding.target is None:
            return None
        level, module, name = binding.target
        base = self.name.absolute(level, module)
        if base is None or name is None:
            return base
        return f"{base}.{name}"

    def targets(self, expression: ast.expr, scope: Scope | None = None) -> tuple[str, ...]:
        """The dotted names that a name, or a chain of attributes on one, may stand for; empty when it is unknown.

        More than one when the name is bound in several places. A name that only `from x import *` can have bound
        gives `x.name` for each such import: whether it exists there is for `Project` to say.
        """
        return tuple(dict.fromkeys(self._targets(expression, scope or self.scope_of(expression), _DEPTH)))

    def target(self, expression: ast.expr, scope: Scope | None = None) -> str | None:
        """The dotted name that an expression stands for, when there is just one."""
        found = self.targets(expression, scope)
        return found[0] if len(found) == 1 else None

    def binding_targets(self, binding: Binding) -> tuple[str, ...]:
        """The dotted names that one binding gives: the import's, an alias's, or the name of the thing defined here."""
        return tuple(dict.fromkeys(self._bound(binding, _DEPTH)))

    def release(self) -> None:
        """Let go of the syntax tree now: scopes and bindings hold each other, and would wait for the collector."""
        for scope in self.scopes.scopes.values():
            scope.bindings.clear()

    def guard(self, node: ast.AST) -> Guard:
        """The nearest condition that a statement stands under, up to the function or class around it."""
        child, parent = node, self.parent(node)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if isinstance(parent, ast.ExceptHandler):
                return "except"
            if isinstance(parent, ast.Try) and child in parent.body:
                return "try"
            if isinstance(parent, ast.If):
                test = parent.test
                named = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
                return "type_checking" if named == "TYPE_CHECKING" and child in parent.body else "if"
            child, parent = parent, self.parent(parent)
        return ""

    def _targets(self, expression: ast.expr, scope: Scope, depth: int) -> list[str]:
        if depth == 0:
            return []
        if isinstance(expression, ast.Attribute):
            return [f"{base}.{expression.attr}" for base in self._targets(expression.value, scope, depth - 1)]
        if not isinstance(expression, ast.Name):
            return []
        found = scope.lookup(expression.id)
        if found is not None:
            return [target for binding in found[1] for target in self._bound(binding, depth - 1)]
        stars = [self.name.absolute(level, module) for _, level, module in self.scope.stars]
        if stars:
            return [f"{module}.{expression.id}" for module in stars if module]
        return [f"builtins.{expression.id}"] if expression.id in _BUILTINS else []

    def _bound(self, binding: Binding, depth: int) -> list[str]:
        if binding.target is not None:
            imported = self.imported(binding)
            return [imported] if imported else []
        if binding.kind in ("delete", "annotation", "augmented"):
            return []
        if binding.kind == "assignment" and isinstance(binding.value, ast.Name | ast.Attribute):
            owner = self.parent(binding.node)
            plain = isinstance(owner, ast.Assign | ast.AnnAssign)
            if plain and depth > 0:
                aliased = self._targets(binding.value, self.scope_of(binding.node), depth - 1)
                if aliased:
                    return aliased
        return [f"{self._home(binding.scope)}.{binding.name}"]

    def _home(self, scope: Scope) -> str:
        inner = "<locals>" if scope.kind not in ("module", "class") else ""
        return f"{self.symbol(scope)}.{inner}" if inner else self.symbol(scope)


def read_module(path: str, name: ModuleName, data: bytes) -> Module:
    """Parse one file; raises `SourceError` with the line when it cannot be decoded or parsed."""
    text = SourceText(data)
    tree = text.parse()
    return Module(path, name, text, tree, build_scopes(tree, text))
