"""Finds the scopes of a parsed file in one walk."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from carrel.source.scopes import Binding, BindingKind, Scope, ScopeKind, ScopeTree, Use
from carrel.source.text import SourceText

__all__ = ["build_scopes"]

# Subscripts of these hold values, not types.
_NOT_TYPES: Final = frozenset({"Literal"})
_PLAIN_STRING: Final = re.compile(r"""[uUrR]?("|')(?!\1)""")

# What is known of a node while it waits to be visited.
ANNOTATION: Final = 1
STRING: Final = 2
INEXACT: Final = 4


def build_scopes(tree: ast.Module, text: SourceText | None = None) -> ScopeTree:
    """The scopes of a parsed file; `text` gives string annotations their exact places."""
    return _Builder(tree, text).build()


class _Builder:
    """Walks with a stack of its own: generated code can be nested deeper than Python's."""

    def __init__(self, tree: ast.Module, text: SourceText | None) -> None:
        self._text = text
        self.module = Scope("module", tree, None, "")
        self.scopes: dict[ast.AST, Scope] = {tree: self.module}
        self.uses: list[Use] = []
        self.parents: dict[ast.AST, ast.AST] = {}
        self._stack: list[tuple[ast.AST, Scope, int]] = []
        self._tree = tree

    def build(self) -> ScopeTree:
        self._push(self._tree, self._tree.body, self.module)
        stack = self._stack
        handlers = _HANDLERS
        parents = self.parents
        while stack:
            node, scope, flags = stack.pop()
            handler = handlers.get(type(node))
            if handler is not None:
                handler(self, node, scope, flags)
                continue
            for name in reversed(node._fields):
                value = getattr(node, name, None)
                if value.__class__ is list:
                    for child in reversed(value):
                        if isinstance(child, ast.AST):
                            parents[child] = node
                            stack.append((child, scope, flags))
                elif isinstance(value, ast.AST):
                    parents[value] = node
                    stack.append((value, scope, flags))
        self._move_globals()
        return ScopeTree(self.module, self.scopes, self.uses, self.parents)

    # Names

    def name(self, node: ast.Name, scope: Scope, flags: int) -> None:
        if isinstance(node.ctx, ast.Load):
            self.uses.append(Use(node, scope, bool(flags & ANNOTATION), bool(flags & STRING), not flags & INEXACT))
        else:
            self._bind_name(node, scope)

    def _bind_name(self, node: ast.Name, scope: Scope) -> None:
        parent = self.parents[node]
        while isinstance(parent, ast.Tuple | ast.List | ast.Starred):
            parent = self.parents[parent]
        kind: BindingKind = "assignment"
        value: ast.expr | None = None
        match parent:
            case ast.Assign() | ast.NamedExpr():
                value = parent.value if self.parents[node] is parent else None
                kind = "walrus" if isinstance(parent, ast.NamedExpr) else "assignment"
            case ast.AnnAssign():
                value = parent.value
                kind = "annotation" if parent.value is None else "assignment"
            case ast.AugAssign():
                kind = "augmented"
            case ast.Delete():
                kind = "delete"
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                kind = "loop"
            case ast.withitem():
                kind = "with"
        if kind == "walrus":
            while scope.kind == "comprehension" and scope.parent is not None:
                scope = scope.parent
        self.bind(scope, Binding(node.id, kind, node, scope, value=value))

    def bind(self, scope: Scope, binding: Binding) -> None:
        known = scope.bindings.get(binding.name)
        if known is None:
            scope.bindings[binding.name] = [binding]
        else:
            known.append(binding)

    def _move_globals(self) -> None:
        """`global x` and `nonlocal x` say where a binding lives, wherever in the function they stand."""
        for scope in list(self.scopes.values()):
            for name in scope.globals | scope.nonlocals:
                home: Scope | None = self.module
                if name in scope.nonlocals:
                    home = scope.parent
                    while home is not None and (home.kind == "class" or name not in home.bindings):
                        home = home.parent
                moved = scope.bindings.pop(name, [])
                if home is None:
                    continue
                for binding in moved:
                    binding.scope = home
                    self.bind(home, binding)

    # Statements that bind

    def import_(self, node: ast.Import, scope: Scope, flags: int) -> None:
        for alias in node.names:
            self.parents[alias] = node
            name = alias.asname or alias.name.partition(".")[0]
            target = alias.name if alias.asname else name
            self.bind(scope, Binding(name, "import", alias, scope, (0, target, None)))

    def import_from(self, node: ast.ImportFrom, scope: Scope, flags: int) -> None:
        for alias in node.names:
            self.parents[alias] = node
            if alias.name == "*":
                scope.stars.append((node, node.level, node.module))
                continue
            target = (node.level, node.module, alias.name)
            self.bind(scope, Binding(alias.asname or alias.name, "from_import", alias, scope, target))

    def global_(self, node: ast.Global, scope: Scope, flags: int) -> None:
        scope.globals.update(node.names)

    def nonlocal_(self, node: ast.Nonlocal, scope: Scope, flags: int) -> None:
        scope.nonlocals.update(node.names)

    def handler(self, node: ast.ExceptHandler, scope: Scope, flags: int) -> None:
        if node.name:
            self.bind(scope, Binding(node.name, "except", node, scope))
        self._push(node, node.body, scope)
        if node.type is not None:
            self._push(node, [node.type], scope)

    def capture(self, node: ast.MatchAs | ast.MatchStar, scope: Scope, flags: int) -> None:
        if node.name:
            self.bind(scope, Binding(node.name, "match", node, scope))
        if isinstance(node, ast.MatchAs) and node.pattern is not None:
            self._push(node, [node.pattern], scope)

    def mapping(self, node: ast.MatchMapping, scope: Scope, flags: int) -> None:
        if node.rest:
            self.bind(scope, Binding(node.rest, "match", node, scope))
        self._push(node, [*node.keys, *node.patterns], scope)

    # What opens a scope

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, flags: int) -> None:
        self.bind(scope, Binding(node.name, "function", node, scope))
        around = self._type_parameters(node, scope)
        inner = self._open("function", node, around, node.name)
        self._push(node, node.body, inner)
        if node.returns is not None:
            self._push(node, [node.returns], around, ANNOTATION)
        self._arguments(node, node.args, around, inner)
        self._push(node, node.decorator_list, scope)

    def lambda_(self, node: ast.Lambda, scope: Scope, flags: int) -> None:
        inner = self._open("lambda", node, scope, "<lambda>")
        self._push(node, [node.body], inner, flags)
        self._arguments(node, node.args, scope, inner)

    def class_(self, node: ast.ClassDef, scope: Scope, flags: int) -> None:
        self.bind(scope, Binding(node.name, "class", node, scope))
        around = self._type_parameters(node, scope)
        inner = self._open("class", node, around, node.name)
        self._push(node, node.body, inner)
        self._push(node, [*node.bases, *node.keywords], around)
        self._push(node, node.decorator_list, scope)

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope, flags: int
    ) -> None:
        inner = self._open("comprehension", node, scope, f"<{type(node).__name__.lower()}>")
        for index, generator in reversed(list(enumerate(node.generators))):
            self.parents[generator] = node
            self._push(generator, [generator.target, *generator.ifs], inner, flags)
            # The first iterable is evaluated outside.
            self._push(generator, [generator.iter], inner if index else scope, flags)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._push(node, results, inner, flags)

    def _open(self, kind: ScopeKind, node: ast.AST, parent: Scope, name: str) -> Scope:
        scope = self.scopes[node] = Scope(kind, node, parent, name)
        return scope

    def _type_parameters(self, node: ast.AST, scope: Scope) -> Scope:
        parameters = getattr(node, "type_params", None)
        if not parameters:
            return scope
        inner = Scope("type_parameters", node, scope, getattr(node, "name", ""))
        for parameter in parameters:
            self.parents[parameter] = node
            self.bind(inner, Binding(parameter.name, "type_parameter", parameter, inner))
            bound = [getattr(parameter, part, None) for part in ("bound", "default_value")]
            self._push(parameter, [part for part in bound if part is not None], inner, ANNOTATION)
        return inner

    def type_alias(self, node: ast.AST, scope: Scope, flags: int) -> None:
        name, value = getattr(node, "name"), getattr(node, "value")  # noqa: B009 - `ast.TypeAlias` came with 3.12
        self.parents[name] = node
        self.bind(scope, Binding(name.id, "assignment", name, scope, value=value))
        self._push(node, [value], self._type_parameters(node, scope), ANNOTATION)

    def _arguments(self, owner: ast.AST, arguments: ast.arguments, around: Scope, inner: Scope) -> None:
        self.parents[arguments] = owner
        self._push(arguments, [*arguments.defaults, *(one for one in arguments.kw_defaults if one)], around)
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
        for argument in every:
            self.parents[argument] = arguments
            self.bind(inner, Binding(argument.arg, "parameter", argument, inner))
            if argument.annotation is not None:
                self._push(argument, [argument.annotation], around, ANNOTATION)

    # Annotations

    def annotated(self, node: ast.AnnAssign, scope: Scope, flags: int) -> None:
        if node.value is not None:
            self._push(node, [node.value], scope)
        self._push(node, [node.annotation], scope, ANNOTATION)
        self._push(node, [node.target], scope)

    def call(self, node: ast.Call, scope: Scope, flags: int) -> None:
        # cast("T", x), TypeVar("T", bound="B") and NewType("N", "T") hold types in strings.
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for keyword in reversed(node.keywords):
            self.parents[keyword] = node
            is_type = called == "TypeVar" and keyword.arg in ("bound", "default")
            self._push(keyword, [keyword.value], scope, ANNOTATION if is_type else flags & ~ANNOTATION)
        for index, argument in reversed(list(enumerate(node.args))):
            is_type = (called == "cast" and index == 0) or (called in ("TypeVar", "NewType") and index > 0)
            self._push(node, [argument], scope, ANNOTATION if is_type else flags & ~ANNOTATION)
        self._push(node, [node.func], scope, flags)

    def subscript(self, node: ast.Subscript, scope: Scope, flags: int) -> None:
        inner = flags
        if flags & ANNOTATION:
            name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if name in _NOT_TYPES:
                inner = flags & ~ANNOTATION
            elif name == "Annotated" and isinstance(node.slice, ast.Tuple) and node.slice.elts:
                self.parents[node.slice] = node
                self._push(node.slice, node.slice.elts[1:], scope, flags & ~ANNOTATION)
                self._push(node.slice, node.slice.elts[:1], scope, flags)
                self._push(node, [node.value], scope, flags)
                return
        self._push(node, [node.slice], scope, inner)
        self._push(node, [node.value], scope, flags)

    def constant(self, node: ast.Constant, scope: Scope, flags: int) -> None:
        if flags & ANNOTATION and isinstance(node.value, str) and not flags & STRING:
            self._string_annotation(node, node.value, scope)

    def _string_annotation(self, node: ast.Constant, value: str, scope: Scope) -> None:
        try:
            parsed = ast.parse(value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        start = self._string_start(node, value)
        for inner in ast.walk(parsed):
            if isinstance(inner, ast.expr) and start is not None:
                inner.lineno = inner.end_lineno = node.lineno
                inner.col_offset += start
                inner.end_col_offset = (inner.end_col_offset or 0) + start
            elif isinstance(inner, ast.expr):
                ast.copy_location(inner, node)
        self.parents[parsed] = node
        self._stack.append((parsed, scope, ANNOTATION | STRING | (INEXACT if start is None else 0)))

    def _string_start(self, node: ast.Constant, value: str) -> int | None:
        """The column at which the text of a plain, one-line string begins; `None` where columns do not map."""
        if node.end_lineno != node.lineno or self._text is None or value != value.strip():
            return None
        literal = self._text.segment(node)
        opening = _PLAIN_STRING.match(literal)
        if opening is None or literal[opening.end() : -1] != value:
            return None
        return node.col_offset + opening.end()

    def _push(self, parent: ast.AST, children: Sequence[ast.AST], scope: Scope, flags: int = 0) -> None:
        parents, stack = self.parents, self._stack
        for child in reversed(children):
            parents[child] = parent
            stack.append((child, scope, flags))


_HANDLERS: Final[Mapping[type[ast.AST], Callable[[_Builder, Any, Scope, int], None]]] = MappingProxyType(
    {
        ast.Name: _Builder.name,
        ast.Constant: _Builder.constant,
        ast.Call: _Builder.call,
        ast.Subscript: _Builder.subscript,
        ast.Import: _Builder.import_,
        ast.ImportFrom: _Builder.import_from,
        ast.Global: _Builder.global_,
        ast.Nonlocal: _Builder.nonlocal_,
        ast.ExceptHandler: _Builder.handler,
        ast.MatchAs: _Builder.capture,
        ast.MatchStar: _Builder.capture,
        ast.MatchMapping: _Builder.mapping,
        ast.FunctionDef: _Builder.function,
        ast.AsyncFunctionDef: _Builder.function,
        ast.Lambda: _Builder.lambda_,
        ast.ClassDef: _Builder.class_,
        ast.ListComp: _Builder.comprehension,
        ast.SetComp: _Builder.comprehension,
        ast.GeneratorExp: _Builder.comprehension,
        ast.DictComp: _Builder.comprehension,
        ast.AnnAssign: _Builder.annotated,
        **({getattr(ast, "TypeAlias"): _Builder.type_alias} if sys.version_info >= (3, 12) else {}),  # noqa: B009
    }
)
