"""The scopes of one file: which names are bound where, and where they are used."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Binding", "BindingKind", "Scope", "ScopeTree", "Use"]

BindingKind = Literal[
    "import", "from_import", "class", "function", "parameter", "assignment", "augmented", "annotation", "loop", "with",
    "except", "match", "walrus", "delete", "type_parameter",
]  # fmt: skip
ScopeKind = Literal["module", "class", "function", "lambda", "comprehension", "type_parameters"]


@dataclass(slots=True, eq=False)
class Binding:
    """One place that gives a name a value in a scope."""

    name: str
    kind: BindingKind
    node: ast.AST
    """The statement, the parameter, the handler or the name that binds."""
    scope: Scope
    """Where the name lives, which with `global` is not where the statement is."""
    target: tuple[int, str | None, str | None] | None = None
    """Of an import: level, module and name; the name is `None` for `import module`."""
    value: ast.expr | None = None
    """Of a plain assignment `name = value`, also with an annotation or `:=`."""


@dataclass(slots=True, eq=False)
class Use:
    """One place that reads a name (or, of kind `delete`, deletes it)."""

    node: ast.Name
    scope: Scope
    in_annotation: bool = False
    in_string: bool = False
    """Parsed from a string annotation; its position is that in the file where `exact` is true."""
    exact: bool = True

    @property
    def name(self) -> str:
        return self.node.id


@dataclass(slots=True, eq=False)
class Scope:
    """A module, class, function, lambda or comprehension, with the names that are bound in it."""

    kind: ScopeKind
    node: ast.AST
    parent: Scope | None
    name: str
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    stars: list[tuple[ast.ImportFrom, int, str | None]] = field(default_factory=list)
    """`from module import *`: the statement, its level and module."""

    @property
    def qualified_name(self) -> str:
        """As `__qualname__`, without the module; empty for the module itself."""
        parts: list[str] = []
        scope: Scope | None = self
        while scope is not None and scope.kind != "module":
            if scope.kind != "type_parameters":
                inner = parts and scope.kind != "class"
                parts[:0] = [scope.name, "<locals>"] if inner else [scope.name]
            scope = scope.parent
        return ".".join(parts)

    def lookup(self, name: str) -> tuple[Scope, list[Binding]] | None:
        """The scope that a use of `name` here reads from, with its bindings; `None` for a builtin or unknown name."""
        scope: Scope | None = self
        first = True
        while scope is not None:
            # A class body is seen from itself only.
            if first or scope.kind != "class":
                bindings = scope.bindings.get(name)
                if bindings:
                    return scope, bindings
                if name in scope.globals:
                    scope = scope.module
                    continue
            # A type parameter scope stands for the class or function it belongs to.
            first = first and scope.kind == "type_parameters"
            scope = scope.parent
        return None

    @property
    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    @property
    def function(self) -> Scope | None:
        """The nearest function or lambda around, this one included."""
        scope: Scope | None = self
        while scope is not None and scope.kind not in ("function", "lambda"):
            scope = scope.parent
        return scope


@dataclass(slots=True, eq=False)
class ScopeTree:
    """What `build_scopes` found."""

    module: Scope
    scopes: dict[ast.AST, Scope]
    """By the node that opens them."""
    uses: list[Use]
    """In the order of the text, roughly: those in string annotations follow the string's place."""
    parents: dict[ast.AST, ast.AST]
    """The parent of every node; nodes parsed from strings have the string as their parent."""

    def scope_of(self, node: ast.AST) -> Scope:
        """The scope that the node is evaluated in (for a function: where it is defined)."""
        grandchild, child, parent = node, node, self.parents.get(node)
        while parent is not None:
            scope = self.scopes.get(parent)
            if scope is not None and _inside(parent, child, grandchild):
                return scope
            grandchild, child, parent = child, parent, self.parents.get(parent)
        return self.module


def _inside(opener: ast.AST, child: ast.AST, grandchild: ast.AST) -> bool:
    """Whether a direct child of a node that opens a scope, and a child of that, are evaluated inside the scope."""
    match opener:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return isinstance(child, ast.stmt)
        case ast.Lambda():
            return child is opener.body
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            first = opener.generators[0]
            return child is not first or grandchild is not first.iter
    return True
