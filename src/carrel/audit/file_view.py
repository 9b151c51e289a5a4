"""What a rule sees of one file."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Final, TypeVar, cast

from carrel.audit.access import Access, AccessReader
from carrel.audit.blocks import Block, Parameter, build_blocks, chain
from carrel.audit.conditions import Condition, MutableGlobal
from carrel.audit.entry_points import EntryPoint, find_entry_points
from carrel.audit.mutations import Mutation, find_mutations
from carrel.audit.providing import Providing
from carrel.audit.rule import Candidate, Grade
from carrel.audit.taint import Taint, TaintReader
from carrel.audit.values import ValueKind, value_kind
from carrel.findings import Fix, Location, RuleInfo, Severity
from carrel.source import Binding, Module

__all__ = ["FileView"]

Found = TypeVar("Found")

_SUSPENDING: Final = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)
_CACHES: Final = frozenset(
    {"lru_cache", "cache", "cached", "alru_cache", "memoize", "cache_resource", "cache_data", "singleton", "once"}
)
_FROZEN_BASES: Final = frozenset(
    {"NamedTuple", "Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "TypedDict", "Protocol"}
)


class FileView:
    """One parsed file: its blocks, what names lead to, what is changed, whose data an expression holds.

    Everything is worked out when it is first asked for, and once.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self._blocks = build_blocks(module)
        self._reader = AccessReader(module, self._blocks)
        self._taints = TaintReader(self)
        self._providing = Providing(self)
        self._dotted: dict[ast.expr, str] = {}
        self._once: dict[tuple[object, Block], object] = {}

    # What there is

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The module, and every class and function in it, each after the one around it."""
        return tuple(self._blocks.values())

    @cached_property
    def functions(self) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.kind == "function")

    @cached_property
    def classes(self) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.kind == "class")

    @property
    def top(self) -> Block:
        """The module's own block."""
        return self.blocks[0]

    @cached_property
    def mutations(self) -> tuple[Mutation, ...]:
        """Every change of an object in a function; what happens while the module is imported is none."""
        return find_mutations(self._blocks, self._reader)

    def function_named(self, symbol: str) -> Block | None:
        """The function of the file, or the method, that has the dotted name."""
        return self._functions_by_symbol.get(symbol)

    @cached_property
    def _functions_by_symbol(self) -> dict[str, Block]:
        return {one.symbol: one for one in reversed(self.functions)}

    def once(self, work: Callable[[FileView, Block], Found], block: Block, meanwhile: Found) -> Found:
        """What the work finds out about the block, found out once; `meanwhile` for who asks while it is."""
        key = (work, block)
        if key not in self._once:
            self._once[key] = meanwhile
            self._once[key] = work(self, block)
        return cast("Found", self._once[key])

    def mutations_of(self, function: Block, name: str) -> list[Mutation]:
        """The changes that a function makes to its parameter or local `name`, under other names too."""
        found = self.mutations_in(function)
        return [
            mutation
            for mutation in found
            if any(one.kind in ("parameter", "local") and one.name == name and one.block is function and not one.steps
                   for one in mutation.accesses)
        ]  # fmt: skip

    def mutations_in(self, function: Block) -> Sequence[Mutation]:
        """The changes that stand in a function."""
        return self._mutations_in.get(function, ())

    @cached_property
    def _mutations_in(self) -> dict[Block, list[Mutation]]:
        found: dict[Block, list[Mutation]] = {}
        for mutation in self.mutations:
            found.setdefault(mutation.block, []).append(mutation)
        return found

    def escapes_of(self, function: Block, name: str) -> list[ast.AST]:
        """The statements that hand a parameter's own object out of the function: returned, or stored elsewhere."""

        def is_it(node: ast.expr | None) -> bool:
            return node is not None and any(
                one.kind == "parameter" and one.name == name and one.block is function and not one.steps
                for one in self.accesses(node, function)
            )

        found: list[ast.AST] = [one for one in function.nodes(ast.Return, ast.Yield) if is_it(one.value)]
        found += [
            mutation.node
            for mutation in self._mutations_in.get(function, ())
            if mutation.kind in ("attribute", "item") and any(is_it(value) for value in mutation.values)
        ]
        return found

    def method_calls_on(self, function: Block, name: str) -> Iterator[tuple[ast.Call, str]]:
        """The calls of methods of a parameter's own object, with the name of the method."""
        for call in function.nodes(ast.Call):
            if isinstance(call.func, ast.Attribute):
                for access in self.accesses(call.func.value, function):
                    if access.kind == "parameter" and access.name == name and not access.steps:
                        yield call, call.func.attr

    @cached_property
    def is_page(self) -> bool:
        """Whether the module is a page of Streamlit, which runs it from top to bottom for what a user does."""
        called = [self.dotted(call.func) for call in self.top.nodes(ast.Call)] if self.imports("streamlit") else []
        shows = any(one.startswith("streamlit.") and not one.startswith("streamlit.cache_") for one in called)
        return shows or f"{self.top.symbol}.main" in called

    @cached_property
    def entry_points(self) -> tuple[EntryPoint, ...]:
        return find_entry_points(self)

    @cached_property
    def _methods(self) -> dict[Block, tuple[Block, ...]]:
        found: dict[Block, list[Block]] = {}
        for function in self.functions:
            if function.class_ is not None:
                found.setdefault(function.class_, []).append(function)
        return {owner: tuple(functions) for owner, functions in found.items()}

    def methods(self, owner: Block) -> tuple[Block, ...]:
        """The functions that stand directly in a class."""
        return self._methods.get(owner, ())

    def block_of(self, node: ast.AST) -> Block:
        """The block that the node stands in."""
        child: ast.AST = node
        parent = self.module.parent(child)
        while parent is not None:
            block = self._blocks.get(parent)
            if block is not None and (child in getattr(parent, "body", ()) or block.kind == "module"):
                return block
            child, parent = parent, self.module.parent(parent)
        return self.top

    # Names

    def dotted(self, node: ast.expr) -> str:
        """The absolute dotted name of a name or chain of attributes; empty when there is none, or more than one."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return ""
        found = self._dotted.get(node)
        if found is None:
            found = self._dotted[node] = self.module.target(node) or ""
        return found

    def imports(self, *packages: str) -> bool:
        """Whether the module imports something of one of the packages, at its top."""
        return not self._packages.isdisjoint(packages)

    @cached_property
    def _packages(self) -> frozenset[str]:
        return frozenset(
            target.partition(".")[0]
            for bindings in self.module.scope.bindings.values()
            for binding in bindings
            if binding.kind in ("import", "from_import")
            for target in self.module.binding_targets(binding)
        )

    def accesses(self, node: ast.expr, block: Block | None = None) -> tuple[Access, ...]:
        """Everything that the expression may lead to, through locals that are other names for it; never empty."""
        return self._reader.read(node, block or self.block_of(node))

    def access(self, node: ast.expr, block: Block | None = None) -> Access:
        """What the expression leads to: of several, the one that most requests see."""
        order = ("global", "class", "cell", "self", "parameter", "local", "unknown", "new")
        return min(self.accesses(node, block), key=lambda one: order.index(one.kind))

    def live(self, name: ast.Name, owner: Block) -> list[Binding]:
        """The bindings in the function `owner` that the name may stand for where it is used."""
        bindings = owner.scope.bindings[name.id]
        is_own = len(bindings) > 1 and self.block_of(name).function is owner
        return self._reader.live(bindings, name, owner) if is_own else bindings

    def path(self, node: ast.expr, block: Block | None = None) -> str:
        """The expression as conditions name it, `app.deps.get_desk().memory`; empty for a local's own value."""
        return self.access(node, block).path

    def symbol_path(self, access: Access) -> str:
        """The path of a function that is handed on: a method of this very class has the class's name, not `()`."""
        return access.path.replace("().", ".", 1) if access.kind == "self" else access.path

    def annotation_name(self, node: ast.expr | None) -> str:
        """The last part of the type that an annotation is about: `User` for `Annotated["User | None", …]`."""
        found = self.annotation_path(node)
        return found.rpartition(".")[2]

    def annotation_path(self, node: ast.expr | None) -> str:
        """The absolute dotted name of the type that an annotation is about, without `Optional` and the like."""
        match node:
            case ast.Name() | ast.Attribute():
                return self.dotted(node) or chain(node)
            case ast.Constant() if isinstance(node.value, str):
                text = node.value.split("[")[0].split("|")[0].strip()
                return self._text_path(text)
            case ast.BinOp():
                left = self.annotation_path(node.left)
                return left if left not in ("", "None") else self.annotation_path(node.right)
            case ast.Subscript():
                outer = chain(node.value).rpartition(".")[2]
                if outer in ("Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired"):
                    inner = node.slice
                    return self.annotation_path(inner.elts[0] if isinstance(inner, ast.Tuple) else inner)
                return self.annotation_path(node.value)
        return ""

    def _text_path(self, text: str) -> str:
        head, _, rest = text.partition(".")
        found = self.module.scope.bindings.get(head)
        targets = self.module.binding_targets(found[-1]) if found else ()
        return ".".join(part for part in (targets[0] if targets else head, rest) if part)

    def base_names(self, owner: Block) -> tuple[str, ...]:
        """The last parts of the names of a class's bases."""
        return tuple(path.rpartition(".")[2] for path in self.base_paths(owner))

    def base_paths(self, owner: Block) -> tuple[str, ...]:
        """The absolute dotted names of a class's bases, as far as they have one."""
        if not isinstance(owner.node, ast.ClassDef):
            return ()
        return tuple(found for base in owner.node.bases if (found := self.annotation_path(base)))

    def is_frozen(self, owner: Block) -> bool:
        """Whether objects of the class are never changed: an enumeration, a named tuple, a frozen dataclass."""
        for decorator in owner.decorators:
            keywords = decorator.call.keywords if decorator.call is not None else ()
            if decorator.name == "frozen" or any(one.arg == "frozen" and _is_true(one.value) for one in keywords):
                return True
        return not _FROZEN_BASES.isdisjoint(self.base_names(owner))

    # Values

    def value_kind(self, node: ast.expr | None) -> ValueKind:
        """What an expression makes: a container, something immutable, what a call gives."""
        return value_kind(node, self.dotted(node.func) if isinstance(node, ast.Call) else "")

    def mutable_global(self, access: Access) -> tuple[Condition, ...] | None:
        """What must hold elsewhere for the access to be of a mutable module-level value; `None`: it is not one.

        Whatever follows an item or a call on the way is a value of its own.
        """
        if access.kind != "global" or "()" in access.steps:
            return None
        module, _, name = access.name.rpartition(".")
        if module == self.top.symbol:
            kinds = {self.value_kind(binding.value) for binding in self.module.scope.bindings.get(name, ())}
            if "container" in kinds:
                return ()
            return (MutableGlobal(access.name),) if kinds & {"call", "unknown"} else None
        if module in ("", "builtins"):
            return None
        return (MutableGlobal(access.name),)

    # Whose data

    def taint(self, node: ast.expr, block: Block | None = None) -> Taint | None:
        """Why the expression holds data of one user; `None` when nothing says so."""
        return self._taints.read(node, block or self.block_of(node))

    def best_taint(self, nodes: tuple[ast.expr, ...], block: Block) -> Taint | None:
        """The surest of the reasons why one of the expressions holds data of one user."""
        found = [taint for node in nodes if (taint := self.taint(node, block)) is not None]
        order = ("request", "name", "parameter")
        return min(found, key=lambda one: order.index(one.by), default=None)

    def parameter_taint(self, function: Block, name: str) -> Taint | None:
        parameter = function.parameter(name)
        return self._taints.parameter(function, parameter) if parameter is not None else None

    @cached_property
    def _entries(self) -> dict[str, EntryPoint]:
        return {entry.path: entry for entry in self.entry_points}

    def entry_point(self, function: Block) -> EntryPoint | None:
        """The entry point that the function is, as far as this file tells."""
        return self._entries.get(function.symbol)

    def is_cached(self, function: Block) -> bool:
        """Whether what the function gives is kept: `lru_cache`, `cache_resource` and the like."""
        return any(decorator.name in _CACHES for decorator in function.decorators)

    def dependency(self, parameter: Parameter) -> str | None:
        """The dotted name of what gives a parameter's value: `Depends(…)`, or what the application says of its name."""
        return self._providing.dependency(parameter)

    def marker(self, parameter: Parameter) -> str:
        """The dotted name of what says where a parameter's value comes from: `fastapi.Cookie`."""
        return self._providing.marker(parameter)

    # Order in time

    def suspends_between(self, first: ast.AST, last: ast.AST, block: Block) -> bool:
        """Whether another task may run between the two nodes of one function."""
        start, end = _position(first), _position(last)
        return any(start <= _position(node) <= end for kind in _SUSPENDING for node in block.nodes(kind))

    def suspends(self, block: Block) -> bool:
        """Whether another task may run inside the function."""
        return any(True for kind in _SUSPENDING for _ in block.nodes(kind))

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """What is around a node, from the inside out, up to the module."""
        parent = self.module.parent(node)
        while parent is not None:
            yield parent
            parent = self.module.parent(parent)

    def is_released(self, node: ast.AST) -> bool:
        """Whether the node stands in a `try` with `finally`, or in a `with`, inside its function."""
        child = node
        for around in self.ancestors(node):
            if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
                return False
            if isinstance(around, ast.Try) and around.finalbody and child not in around.finalbody:
                return True
            if isinstance(around, ast.With | ast.AsyncWith) and child in around.body:
                return True
            child = around
        return False

    # What a rule gives

    def location(self, node: ast.AST, note: str = "") -> Location:
        """Where the node is; of a function or class, its first line alone."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        end_line, end_column = getattr(node, "end_lineno", line) or line, getattr(node, "end_col_offset", 0) or 0
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            end_line, end_column = line, len(self.module.text.line(line).encode())
        return Location(path=self.module.path, line=line, column=column, end_line=end_line, end_column=end_column,
                        note=note)  # fmt: skip

    def candidate(
        self, info: RuleInfo, node: ast.AST, message: str, *, block: Block | None = None, why: str = "",
        fix: str = "", related: tuple[Location, ...] = (), given: tuple[Condition, ...] = (),
        grades: tuple[Grade, ...] = (), severity: Severity | None = None, lower_unreachable: bool = False,
    ) -> Candidate:  # fmt: skip
        """A candidate of the rule at the node; `severity` is short for one grade without conditions."""
        return Candidate(
            rule=info.rule, location=self.location(node), message=message, why=why, fix=Fix(description=fix),
            symbol=(block or self.block_of(node)).symbol, related=related, given=given,
            grades=grades or ((Grade(severity),) if severity else ()), lower_unreachable=lower_unreachable,
        )  # fmt: skip


def _position(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
