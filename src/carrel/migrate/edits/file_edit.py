"""One file while it is edited: its references, what its names become, and the new text so far."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

import msgspec

from carrel.migrate.edits.calls import CallPlan, plan_call
from carrel.migrate.edits.naming import LocalName, local_names, maker_names
from carrel.migrate.outcome import LeftReference
from carrel.migrate.recipe import MovedModule, MovedSymbol, Recipe
from carrel.migrate.references import Kind, Reference
from carrel.migrate.splices import Splices
from carrel.source import Module, Use

__all__ = ["FileEdit"]


class FileEdit:
    """What the edits of one file share.

    `kept` are the names that other modules, or patches in strings, reach in this one: they stay bound. `needed` are
    the old symbols that must stay in this file altogether, each with the reason. `loads` gives the files that are
    imported with a module.
    """

    def __init__(
        self,
        module: Module,
        recipe: Recipe,
        references: Sequence[Reference],
        kept: Collection[str],
        needed: Mapping[str, str] = MappingProxyType({}),
        loads: Callable[[str], Collection[str]] = lambda _module: (),
    ) -> None:
        self.module = module
        self.recipe = recipe
        self.splices = Splices(module.text)
        self.left: list[LeftReference] = []
        self._loads = loads
        self._calls = _calls_by_place(module)
        self._aliases = {
            (node.lineno, node.col_offset): node for node in module.scopes.parents if isinstance(node, ast.alias)
        }
        self.plans = self._plan_calls(references)
        stays = {(one.symbol, one.bound): reason for one in references if (reason := _needed(one.symbol, needed))}
        editable = [one for one in references if (one.symbol, one.bound) not in stays]
        makers = {one: symbol for one in editable if one in self.plans and (symbol := self.symbol(one)) is not None}
        makers = {one: symbol for one, symbol in makers.items() if self.plans[one].maker}
        self.names = {
            **local_names(module, recipe, editable, kept),
            **maker_names(module, makers, editable, kept),
        }
        self.both = self._bound_twice(editable)
        """The names that stay beside the new ones, for calls that only the old constructor serves; with the reason."""
        for key in [key for key in self.both if not self._can_have_both(key, editable)]:
            stays[key] = self.both.pop(key)
            self.names.pop(key, None)
        self.references: list[Reference] = []
        self.imports: list[Reference] = []
        """Those among them that are imports."""
        for reference in references:
            plan = self.plans.get(reference)
            reason = stays.get((reference.symbol, reference.bound), "")
            if not reason and plan is not None and plan.stays:
                reason = f"needs the old constructor: {plan.reason}"
            if reason or reference.certainty != "certain":
                self.leave(reference, reason or reference.reason or "it is not certain")
            else:
                self.references.append(reference)
                self.imports += [reference] if reference.kind == "import" else []

    def of_kind(self, *kinds: Kind) -> Iterator[Reference]:
        """The references of some kinds that are to be edited, in the order of the text."""
        return (one for one in self.references if one.kind in kinds)

    def use_at(self, reference: Reference) -> Use | None:
        """The use of a name that a reference begins with."""
        return self._uses.get((reference.bound, reference.line, reference.column))

    def is_used(self, name: str) -> bool:
        """Whether anything in the file binds or reads a name."""
        return name in self._names_in_file

    def leave(self, reference: Reference, reason: str, *, moved: bool = False) -> None:
        """Leave a reference, or with `moved` what stands around its new name, for a person to look at."""
        self.left.append(LeftReference(reference=reference, reason=reason, moved=moved))

    def replace(self, reference: Reference, text: str) -> None:
        self.splices.put(reference.start, reference.end, text)

    def symbol(self, reference: Reference) -> MovedSymbol | None:
        """What a reference moves to: for a call that keeps its arguments, the function that takes them."""
        symbol = self.recipe.symbol(reference.symbol)
        plan = self.plans.get(reference)
        if symbol is None or plan is None or not plan.maker:
            return symbol
        return msgspec.structs.replace(symbol, new=plan.maker, annotations="", call=None)

    def local(self, reference: Reference) -> LocalName | None:
        """What the symbol of a reference is called in this file, when a name is imported for it."""
        plan = self.plans.get(reference)
        return self.names.get((plan.maker if plan is not None and plan.maker else reference.symbol, reference.bound))

    def maker(self, reference: Reference) -> LocalName | None:
        """What an import of a symbol is to bind for calls that keep their arguments, when there are any."""
        constructor = self.recipe.constructor(reference.symbol)
        return self.names.get((constructor.maker, reference.bound)) if constructor is not None else None

    @property
    def makers(self) -> tuple[str, ...]:
        """The dotted names of the functions that calls in this file need."""
        left = {one.reference for one in self.left if not one.moved}
        return tuple(sorted({plan.maker for one, plan in self.plans.items() if plan.maker and one not in left}))

    def moved_module(self, reference: Reference) -> MovedModule | None:
        return next((one for one in self.recipe.modules if one.old == reference.symbol), None)

    def alias_at(self, reference: Reference) -> ast.alias | None:
        """The name of an import statement that stands at a reference."""
        return self._aliases.get((reference.line, reference.column))

    def is_at_top(self, reference: Reference) -> bool:
        """Whether an import always happens: it is a statement of the module itself, under no condition."""
        alias = self.alias_at(reference)
        statement = self.module.parent(alias) if alias is not None else None
        return statement is not None and isinstance(self.module.parent(statement), ast.Module)

    @cached_property
    def _uses(self) -> dict[tuple[str, int, int], Use]:
        """By the name and its place; several of one string annotation can share a place, and the first counts."""
        return {(use.name, use.node.lineno, use.node.col_offset): use for use in reversed(self.module.uses)}

    @cached_property
    def _names_in_file(self) -> frozenset[str]:
        bound = (name for scope in self.module.scopes.scopes.values() for name in scope.bindings)
        return frozenset((*bound, *(use.name for use in self.module.uses)))

    @property
    def newline(self) -> str:
        """The line end of the file."""
        head = self.module.text.utf8.partition(b"\n")
        if not head[1]:
            return "\r" if b"\r" in head[0] else "\n"
        return "\r\n" if head[0].endswith(b"\r") else "\n"

    def offsets(self, node: ast.stmt | ast.expr | ast.alias) -> tuple[int, int]:
        """Where a node begins and ends in the text."""
        return self.module.text.span(node)

    def is_loaded_with(self, module: str) -> bool:
        """Whether importing a module imports this file, so that this file cannot always import it at its top."""
        return self.module.path in self._loads(module)

    def insert_first(self, function: ast.FunctionDef | ast.AsyncFunctionDef, line: str) -> None:
        """Put one more statement at the beginning of a function, behind its docstring."""
        first = function.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            self.insert_after(first, line)
            return
        decorators = getattr(first, "decorator_list", [])
        at = min([first.lineno, *(one.lineno for one in decorators)])
        line_start = self.module.text.line_starts[at - 1]
        start, _ = self.offsets(first)
        if not decorators and self.module.text.utf8[line_start:start].strip():
            self.splices.insert(start, f"{line}; ")
            return
        indent = re.match(rb"[ \t\f]*", self.module.text.utf8[line_start:])
        before = indent[0].decode() if indent else ""
        self.splices.insert(line_start, f"{before}{line}{self.newline}")

    def insert_after(self, statement: ast.stmt, line: str) -> None:
        """Put one more statement, of one line, behind another one of the same block."""
        utf8 = self.module.text.utf8
        start, end = self.offsets(statement)
        line_start = self.module.text.line_starts[statement.lineno - 1]
        before = utf8[line_start:start]
        line_end = min((at for at in (utf8.find(b"\n", end), utf8.find(b"\r", end)) if at >= 0), default=len(utf8))
        rest = utf8[end:line_end].strip()
        if before.strip() or (rest and not rest.startswith(b"#")):
            self.splices.insert(end, f"; {line}")
        else:
            self.splices.insert(line_end, f"{self.newline}{before.decode()}{line}")

    def _plan_calls(self, references: Sequence[Reference]) -> dict[Reference, CallPlan]:
        plans = {}
        for reference in references:
            constructor = self.recipe.constructor(reference.symbol) if reference.kind == "call" else None
            node = self._calls.get((reference.line, reference.column, reference.end_line, reference.end_column))
            if constructor is not None and node is not None and reference.certainty == "certain":
                plans[reference] = plan_call(constructor, node, in_async=reference.in_async)
        return plans

    def _bound_twice(self, references: Sequence[Reference]) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for reference in references:
            plan = self.plans.get(reference)
            if plan is not None and plan.stays:
                reason = f"line {reference.line} needs the old constructor: {plan.reason}"
                found.setdefault((reference.symbol, reference.bound), reason)
        return found

    def _can_have_both(self, key: tuple[str, str], references: Sequence[Reference]) -> bool:
        """Whether the new name can be bound beside the old one: it is another, and nothing else hangs on the import."""
        name = self.names.get(key)
        others = ("fallback_store", "dunder_all")
        mine = [one for one in references if (one.symbol, one.bound) == key]
        hangs = any(one.kind in others for one in mine)
        staying = [one for one, plan in self.plans.items() if plan.stays]
        moving = any(one.kind != "import" and one not in staying for one in mine)
        return name is not None and name.after != name.before and moving and not hangs


def _needed(symbol: str, needed: Mapping[str, str]) -> str:
    """Why a symbol must stay, or something in the module that it is; empty when it need not."""
    return next((reason for old, reason in needed.items() if old == symbol or old.startswith(f"{symbol}.")), "")


def _calls_by_place(module: Module) -> dict[tuple[int, int, int, int], ast.Call]:
    found = {}
    for node in module.scopes.parents:
        if isinstance(node, ast.Call):
            called = node.func
            place = called.lineno, called.col_offset, called.end_lineno or 0, called.end_col_offset or 0
            found[place] = node
    return found
