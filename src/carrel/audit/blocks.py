"""The module, classes and functions of one file, each with the nodes that stand directly in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar, overload

from carrel.source import Module, Scope

__all__ = ["FUNCTIONS", "Block", "Decorator", "Parameter", "build_blocks"]

Node = TypeVar("Node", bound=ast.AST)
Other = TypeVar("Other", bound=ast.AST)
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_OPENING: Final = (*FUNCTIONS, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function."""

    name: str
    node: ast.arg
    default: ast.expr | None
    kind: Literal["positional", "keyword", "*", "**"]

    @property
    def annotation(self) -> ast.expr | None:
        return self.node.annotation


@dataclass(frozen=True, slots=True)
class Decorator:
    """One decorator: `@dotted` or `@dotted(...)`."""

    node: ast.expr
    dotted: str
    """Absolute where the file tells (`functools.lru_cache`), the text otherwise (`self.app.get`)."""
    call: ast.Call | None

    @property
    def name(self) -> str:
        """The last part: `get` of `@app.get("/")`."""
        return self.dotted.rpartition(".")[2]


@dataclass(slots=True, eq=False)
class Block:
    """A module, class or function. Lambdas and comprehensions belong to the block around them.

    Decorators, default values, annotations and base classes are evaluated outside, so they belong to the block around
    the function or class.
    """

    kind: Literal["module", "class", "function"]
    node: ast.AST
    scope: Scope
    symbol: str
    """Absolute and dotted: `package.module.Class.method`."""
    parent: Block | None
    name: str = ""
    parameters: tuple[Parameter, ...] = ()
    decorators: tuple[Decorator, ...] = ()
    by_type: dict[type[ast.AST], list[ast.AST]] = field(default_factory=dict)

    @overload
    def nodes(self, first: type[Node], /) -> Iterator[Node]: ...
    @overload
    def nodes(self, first: type[Node], second: type[Other], /) -> Iterator[Node | Other]: ...
    def nodes(self, *types: type[ast.AST]) -> Iterator[ast.AST]:
        """The nodes of a type or two, those of one type in the order of the text; not those of inner blocks."""
        for kind in types:
            yield from self.by_type.get(kind, ())

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def class_(self) -> Block | None:
        """The class that this function is a method of."""
        return self.parent if self.kind == "function" and self.parent and self.parent.kind == "class" else None

    @property
    def function(self) -> Block | None:
        """This function, or the nearest one around."""
        block: Block | None = self
        while block is not None and block.kind != "function":
            block = block.parent
        return block

    @property
    def receiver(self) -> str:
        """The name of `self` or `cls`; empty outside of methods and in static ones."""
        if self.class_ is None or not self.parameters or self.has_decorator("staticmethod"):
            return ""
        first = self.parameters[0]
        return first.name if first.kind == "positional" else ""

    @property
    def is_classmethod(self) -> bool:
        return self.has_decorator("classmethod") or self.name in ("__new__", "__init_subclass__", "__class_getitem__")

    @property
    def is_initializer(self) -> bool:
        """Whether it runs while its object is made, before anyone else has the object."""
        return self.class_ is not None and self.name in ("__init__", "__new__", "__post_init__", "__set_name__")

    def has_decorator(self, *names: str) -> bool:
        """Whether one of the decorators has one of the names: the last part, or the whole dotted name."""
        return any(one.name in names or one.dotted in names for one in self.decorators)

    def parameter(self, name: str) -> Parameter | None:
        return next((one for one in self.parameters if one.name == name), None)


def build_blocks(module: Module) -> dict[ast.AST, Block]:
    """Every block of a file by its node, each after the one around it; the module is the first."""
    top = Block("module", module.tree, module.scope, module.name.dotted, None)
    blocks: dict[ast.AST, Block] = {module.tree: top}
    # A stack of its own: generated code can be nested deeper than Python's.
    stack: list[tuple[ast.AST, Block]] = [(node, top) for node in reversed(module.tree.body)]
    while stack:
        node, block = stack.pop()
        kind = node.__class__
        found = block.by_type.get(kind)
        if found is None:
            block.by_type[kind] = [node]
        else:
            found.append(node)
        if isinstance(node, _OPENING):
            inner = blocks[node] = _block(module, node, block)
            stack.extend((child, inner) for child in reversed(node.body))
            outside: list[ast.AST] = [*node.decorator_list]
            if isinstance(node, ast.ClassDef):
                outside += [*node.bases, *node.keywords]
            else:
                outside.append(node.args)
                if node.returns is not None:
                    outside.append(node.returns)
            stack.extend((child, block) for child in reversed(outside))
            continue
        for name in reversed(node._fields):
            value = getattr(node, name, None)
            if value.__class__ is list:
                stack.extend((child, block) for child in reversed(value) if isinstance(child, ast.AST))
            elif isinstance(value, ast.AST):
                stack.append((value, block))
    return blocks


def _block(module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, around: Block) -> Block:
    is_class = isinstance(node, ast.ClassDef)
    return Block(
        "class" if is_class else "function",
        node,
        module.opened_by(node),
        f"{around.symbol}.{node.name}",
        around,
        node.name,
        () if isinstance(node, ast.ClassDef) else _parameters(node.args),
        tuple(_decorator(module, one, around.scope) for one in node.decorator_list),
    )


def _parameters(arguments: ast.arguments) -> tuple[Parameter, ...]:
    positional = [*arguments.posonlyargs, *arguments.args]
    missing = len(positional) - len(arguments.defaults)
    defaults = [*[None] * missing, *arguments.defaults]
    found = [Parameter(one.arg, one, default, "positional") for one, default in zip(positional, defaults, strict=True)]
    if arguments.vararg is not None:
        found.append(Parameter(arguments.vararg.arg, arguments.vararg, None, "*"))
    keyword = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    found += [Parameter(one.arg, one, default, "keyword") for one, default in keyword]
    if arguments.kwarg is not None:
        found.append(Parameter(arguments.kwarg.arg, arguments.kwarg, None, "**"))
    return tuple(found)


def _decorator(module: Module, node: ast.expr, scope: Scope) -> Decorator:
    call = node if isinstance(node, ast.Call) else None
    named = call.func if call is not None else node
    return Decorator(node, module.target(named, scope) or chain(named), call)


def chain(node: ast.expr) -> str:
    """The text of a chain of attributes, with `()` for calls in it: `get_app().router.get`; empty for others."""
    parts: list[str] = []
    while True:
        match node:
            case ast.Attribute():
                parts.append(f".{node.attr}")
                node = node.value
            case ast.Call():
                parts.append("()")
                node = node.func
            case ast.Name():
                return node.id + "".join(reversed(parts))
            case _:
                return "".join(reversed(parts)).lstrip(".")
