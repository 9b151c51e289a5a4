"""The scopes of one file: which names are bound where, and where they are used."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from carrel.source.text import SourceText

__all__ = ["Binding", "BindingKind", "Scope", "ScopeTree", "Use", "build_scopes"]

BindingKind = Literal[
    "import", "from_import", "class", "function", "parameter", "assignment", "augmented", "annotation", "loop", "with",
    "except", "match", "walrus", "delete", "type_parameter",
]  # fmt: skip
ScopeKind = Literal["module", "class", "function", "lambda", "comprehension", "type_parameters"]

# Subscripts of these hold values, not types.
_NOT_TYPES: Final = frozenset({"Literal"})
_PLAIN_STRING: Final = re.compile(r"""[uUrR]?("|')(?!\1)""")

# What is known of a node while it waits to be visited.
ANNOTATION: Final = 1
STRING: Final = 2
INEXACT: Final = 4


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
        child, parent = node, self.parents.get(node)
        while parent is not None:
            scope = self.scopes.get(parent)
            if scope is not None and _inside(parent, child):
                return scope
            child, parent = parent, self.parents.get(parent)
        return self.module


def build_scopes(tree: ast.Module, text: SourceText | None = None) -> ScopeTree:
    """The scopes of a parsed file; `text` gives string annotations their exact places."""
    return _Builder(tree, text).build()


def _inside(opener: ast.AST, child: ast.AST) -> bool:
    """Whether a direct child of a node that opens a scope is evaluated inside that scope."""
    match opener:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return child in opener.body
        case ast.Lambda():
            return child is opener.body
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            return True
    return True


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
        kind: BindingKind = "assignment"
        value: ast.expr | None = None
        match parent:
            case ast.Assign() | ast.NamedExpr():
                value = parent.value
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
        **({getattr(ast, "TypeAlias"): _Builder.type_alias} if sys.version_info >= (3, 12) else {}),
    }
)
