"""What an expression leads to: a global, an attribute of `self`, a parameter, a value of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from carrel.audit.blocks import Block
from carrel.source import Binding, Module

__all__ = ["APPLICATIONS", "Access", "AccessKind", "AccessReader", "item_name"]

AccessKind = Literal["global", "class", "self", "cell", "parameter", "local", "new", "unknown"]
_DEPTH: Final = 12
_ALTERNATIVES: Final = 6
APPLICATIONS: Final = frozenset({"app", "application", "_app", "bot_data", "extensions"})
"""What an application is called, and what it has for things to be put into by name."""
_HELD: Final = re.compile(rf"(?:^|[.:])(?:{'|'.join(sorted(APPLICATIONS))})\.(?:state|ctx)\.(\w+)$")
ITEM_METHODS: Final = frozenset({"get", "setdefault", "__getitem__"})
"""Methods that give an item of their container, not something new."""


def _joined(steps: tuple[str, ...]) -> str:
    return "".join(step if step in ("[]", "()") else f".{step}" for step in steps)


def item_name(key: ast.expr | None) -> str:
    """What an item is called whose key is a text or a constant, `"db"` or `keys.DB`; empty for every other key."""
    match key:
        case ast.Constant(value=str(name)) if name.isidentifier():
            return name
        case ast.Name(id=name) | ast.Attribute(attr=name) if name.isupper():
            return name
    return ""


@dataclass(frozen=True, slots=True)
class Access:
    """Where a value comes from: a root, and the way from it.

    `global`: a dotted name of this or another module, in `name`, with attributes as far as only attributes follow.
    `class`: a class of this file, in `block`, reached by its name, `cls` or `type(self)`. `self`: the receiver of the
    method `block`. `cell`: a variable `name` of the function `block`, seen from a function inside it. `parameter` and
    `local`: of the function `block`. `new`: made by this very expression. A local that is only another name for
    something is that something.
    """

    kind: AccessKind
    name: str = ""
    steps: tuple[str, ...] = ()
    """From the root on: names of attributes, `[]` for an item, `()` for the result of a call."""
    block: Block | None = None
    keys: tuple[ast.expr, ...] = ()
    """The keys of the items on the way."""

    @property
    def path(self) -> str:
        """`app.deps.get_desk().memory[]`, for conditions; empty for what other files cannot name."""
        if self.kind == "global":
            root = self.name
        elif self.kind == "class" and self.block is not None:
            root = self.block.symbol
        elif self.own_class is not None:
            root = f"{self.own_class.symbol}()"
            if self.steps[:1] == ("application",) and self.steps[1:2] not in ((), ("state",), ("ctx",)):
                # What is put on Tornado's application, its handlers have as `self.application.desk`.
                return f"{root}.application.state" + _joined(self.steps[1:])
        elif self.kind == "parameter" and self.block is not None:
            root = f"{self.block.symbol}:{self.name}"
        else:
            return ""
        if self.keys and "[]" in self.steps:
            return self._with_items(root)
        return root + _joined(self.steps)

    def _with_items(self, path: str) -> str:
        """The path, with an item of an application as a part of its state: `app["db"]` is `app.state.db`."""
        keys = iter(self.keys)
        for step in self.steps:
            name = item_name(next(keys, None)) if step == "[]" else ""
            held = name and path.rpartition(".")[2].rpartition(":")[2] in APPLICATIONS
            path += f".state.{name}" if held else step if step in ("[]", "()") else f".{step}"
        return path

    @property
    def held_by_application(self) -> str:
        """The name under which the application holds it, `boards` of `request.app.ctx.boards`; empty for all else."""
        found = _HELD.search(self.path) if ".state." in self.path or ".ctx." in self.path else None
        return found[1] if found is not None else ""

    @property
    def own_class(self) -> Block | None:
        """The class whose `self` is the root; `None` for every other root."""
        return self.block.class_ if self.kind == "self" and self.block is not None else None

    @property
    def is_shared_name(self) -> bool:
        """Whether the root is a name that every request sees: of a module or a class."""
        return self.kind in ("global", "class") and not self.name.startswith("builtins.")

    def step(self, step: str, key: ast.expr | None = None) -> Access:
        keys = (*self.keys, key) if key is not None else self.keys
        if self.kind == "global" and not self.steps and step not in ("[]", "()"):
            return replace(self, name=f"{self.name}.{step}", keys=keys)
        return replace(self, steps=(*self.steps, step), keys=keys)


class AccessReader:
    """Reads what expressions of one file lead to."""

    def __init__(self, module: Module, blocks: dict[ast.AST, Block]) -> None:
        self._module = module
        self._blocks = blocks
        self._by_symbol = {block.symbol: block for block in blocks.values() if block.kind == "class"}
        self._known: dict[tuple[ast.expr, Block], tuple[Access, ...]] = {}

    def read(self, expression: ast.expr, block: Block) -> tuple[Access, ...]:
        """The alternatives, without repeats; never empty."""
        return self._read(expression, block, _DEPTH) or (Access("unknown"),)

    def _read(self, node: ast.expr, block: Block, depth: int) -> tuple[Access, ...]:
        key = (node, block)
        found = self._known.get(key)
        if found is None:
            if depth == 0:
                return (Access("unknown"),)
            # A name that leads back to itself, `x = x.next` in a loop, adds nothing there.
            self._known[key] = ()
            found = tuple(dict.fromkeys(self._follow(node, block, depth)))[:_ALTERNATIVES]
            self._known[key] = found
        return found

    def _follow(self, node: ast.expr, block: Block, depth: int) -> Iterable[Access]:
        match node:
            case ast.Name():
                return self._name(node, block, depth)
            case ast.Attribute():
                return [self._attribute(one, node.attr) for one in self._read(node.value, block, depth - 1)]
            case ast.Subscript():
                return [one.step("[]", node.slice) for one in self._read(node.value, block, depth - 1)]
            case ast.Call():
                return self._call(node, block, depth)
            case ast.Await() | ast.NamedExpr() | ast.Starred():
                return self._read(node.value, block, depth - 1)
            case ast.IfExp():
                return self._each((node.body, node.orelse), block, depth)
            case ast.BoolOp():
                return self._each(node.values, block, depth)
        return (Access("new"),)

    def _each(self, nodes: Iterable[ast.expr], block: Block, depth: int) -> list[Access]:
        return [one for node in nodes for one in self._read(node, block, depth - 1)]

    def _attribute(self, access: Access, name: str) -> Access:
        if access.kind == "self" and not access.steps and name == "__class__":
            method = access.block
            return Access("class", block=method.class_ if method else None)
        return access.step(name)

    def _call(self, node: ast.Call, block: Block, depth: int) -> Iterable[Access]:
        if isinstance(node.func, ast.Attribute) and node.func.attr in ITEM_METHODS and node.args:
            return [one.step("[]", node.args[0]) for one in self._read(node.func.value, block, depth - 1)]
        if isinstance(node.func, ast.Name) and node.func.id == "type" and len(node.args) == 1:
            return [
                Access("class", block=one.block.class_) if one.kind == "self" and one.block else Access("unknown")
                for one in self._read(node.args[0], block, depth - 1)
            ]
        if isinstance(node.func, ast.Name) and node.func.id == "super" and block.function is not None:
            return [Access("self", block=block.function)] if block.function.receiver else [Access("unknown")]
        return [one.step("()") for one in self._read(node.func, block, depth - 1)]

    def _name(self, node: ast.Name, block: Block, depth: int) -> Iterable[Access]:
        scope = block.scope if block.kind != "module" else self._module.scope
        found = scope.lookup(node.id)
        if found is None:
            targets = self._module.targets(node, scope)
            return [Access("global", target) for target in targets] or [Access("unknown", node.id)]
        home, bindings = found
        if home.kind in ("module", "class"):
            if home.kind == "class":
                return [Access("class", steps=(node.id,), block=self._blocks.get(home.node))]
            return self._global(node, bindings)
        owner = self._blocks.get(home.node)
        if owner is None:  # a lambda's or a comprehension's own
            return [Access("local", node.id, block=block)]
        if owner is not block.function:
            return [Access("cell", node.id, block=owner)]
        if len(bindings) > 1:
            bindings = self.live(bindings, node, owner)
        return [one for binding in bindings for one in self._local(binding, owner, depth)]

    def live(self, bindings: list[Binding], use: ast.Name, owner: Block) -> list[Binding]:
        """The bindings that the use may see: not later ones, nor those that a statement in between replaces.

        In a loop a later one is seen too.
        """
        before: list[ast.stmt] = []
        child: ast.AST = use
        looped = False
        while child is not owner.node and (around := self._module.parent(child)) is not None:
            looped = looped or isinstance(around, ast.For | ast.AsyncFor | ast.While)
            for part in ("body", "orelse", "finalbody"):
                statements = getattr(around, part, ())
                if isinstance(statements, list) and child in statements:
                    before += statements[: statements.index(child)]
            child = around
        at = (use.lineno, use.col_offset)
        assigned = {self._assigning(one.node) for one in bindings if one.kind == "assignment"}
        cut = max((_start(one) for one in before if _binds(one, assigned)), default=(0, 0))
        live: list[Binding] = []
        for binding in sorted(bindings, key=lambda one: _start(one.node)):
            statement = self._module.parent(binding.node)
            later = isinstance(statement, ast.Assign | ast.AnnAssign) and _end(statement) > at
            if (looped or not later) and _start(binding.node) >= cut:
                live.append(binding)
        return live

    def _assigning(self, node: ast.AST) -> ast.AST | None:
        """The statement of a target: of `name, rest = read(text)`, too."""
        around = self._module.parent(node)
        while isinstance(around, ast.Tuple | ast.List | ast.Starred):
            around = self._module.parent(around)
        return around

    def _beside(self, target: ast.AST) -> ast.expr | None:
        """What the target is given of several values that are assigned at once: `agent, log = app["agent"], []`."""
        around = self._module.parent(target)
        match around, self._module.parent(around) if around is not None else None:
            case ast.Tuple(elts=targets), ast.Assign(value=ast.Tuple(elts=values)) if len(targets) == len(values):
                if not any(isinstance(one, ast.Starred) for one in (*targets, *values)):
                    return next(value for one, value in zip(targets, values, strict=True) if one is target)
        return None

    def _global(self, node: ast.Name, bindings: list[Binding]) -> Iterable[Access]:
        targets = [target for binding in bindings for target in self._targets(binding)]
        found = []
        for target in dict.fromkeys(targets):
            owner = self._by_symbol.get(target)
            found.append(Access("class", block=owner) if owner is not None else Access("global", target))
        return found or [Access("unknown", node.id)]

    def _targets(self, binding: Binding) -> list[str]:
        # A function inside a function has the name that its block has.
        return [target.replace(".<locals>", "") for target in self._module.binding_targets(binding)]

    def _local(self, binding: Binding, owner: Block, depth: int) -> Iterable[Access]:
        if binding.kind == "parameter":
            if binding.name == owner.receiver:
                if owner.is_classmethod:
                    return [Access("class", block=owner.class_)]
                return [Access("self", block=owner)]
            return [Access("parameter", binding.name, block=owner)]
        if binding.kind in ("import", "from_import", "function", "class"):
            return [Access("global", target) for target in self._targets(binding)]
        around = self._module.parent(binding.node)
        is_whole = isinstance(around, ast.Assign | ast.AnnAssign | ast.NamedExpr)
        value = binding.value if is_whole else self._beside(binding.node)
        if value is not None:
            found = self._read(value, owner, depth - 1)
            # What a local was made as is still only the local's.
            return [Access("local", binding.name, block=owner) if one.kind in ("new", "unknown") else one
                    for one in found]  # fmt: skip
        if binding.kind == "loop" and isinstance(around, ast.For | ast.AsyncFor):
            return [one.step("[]") for one in self._read(around.iter, owner, depth - 1)]
        if binding.kind == "with" and isinstance(around, ast.withitem):
            return self._read(around.context_expr, owner, depth - 1)
        if binding.kind in ("augmented", "delete", "annotation"):
            return ()
        return [Access("local", binding.name, block=owner)]


def _binds(statement: ast.stmt, assigned: Collection[ast.AST | None]) -> bool:
    """Whether every way through the statement comes by one of the assignments."""
    match statement:
        case ast.Assign() | ast.AnnAssign():
            return statement in assigned
        case ast.If(body=body, orelse=[*_, _] as orelse):
            return all(
                any(_binds(one, assigned) for one in branch) or isinstance(branch[-1], ast.Return | ast.Raise)
                for branch in (body, orelse)
            )
        case ast.With(body=body) | ast.AsyncWith(body=body):
            return any(_binds(one, assigned) for one in body)
    return False


def _start(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _end(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", 0) or 0, getattr(node, "end_col_offset", 0) or 0
