"""Uses of a name: in expressions, base classes and annotations, by itself or through its module."""

from __future__ import annotations

import ast
from typing import Final

from carrel.migrate.edits.calls import write_call
from carrel.migrate.edits.file_edit import FileEdit
from carrel.migrate.edits.naming import LocalName
from carrel.migrate.recipe import MovedSymbol
from carrel.migrate.references import Kind, Reference
from carrel.source import Binding

__all__ = ["CallEdit", "UseEdit"]

_USES: Final[tuple[Kind, ...]] = ("base", "annotation", "string_annotation", "name", "call")


class UseEdit:
    """The name becomes the new name; an object that is now made by a call becomes the call."""

    kinds: tuple[Kind, ...] = _USES

    def edit(self, file: FileEdit) -> None:
        for reference in file.of_kind(*self.kinds):
            new = _new_text(file, reference)
            symbol = file.symbol(reference)
            if new is None:
                continue
            if symbol is None:
                file.replace(reference, new)
                continue
            if symbol.call is not None and reference.kind in ("name", "call"):
                template = symbol.call.async_ if reference.in_async and symbol.call.async_ else symbol.call.sync
                if not template:
                    file.leave(reference, "it stands outside of an `async def`, and the recipe has no way for that")
                    continue
                new = template.format_map({"new": new})
                if new.startswith("await ") and _is_followed(file, reference):
                    new = f"({new})"
            elif symbol.annotations and reference.kind in ("annotation", "string_annotation"):
                new = _annotation(file, reference, symbol)
            file.replace(reference, new)


class CallEdit:
    """Calls of the old constructor, the innermost first, so that an outer call holds its arguments as edited."""

    kinds: tuple[Kind, ...] = ("call",)

    def edit(self, file: FileEdit) -> None:
        planned = [(one, file.plans[one]) for one in file.of_kind(*self.kinds) if one in file.plans]
        planned.sort(key=lambda pair: -pair[0].start)
        for reference, plan in planned:
            if plan.way is None:
                through = f"goes through `{plan.maker}`: " if plan.maker else ""
                file.leave(reference, f"{through}{plan.reason}", moved=True)
                continue
            new = file.splices.text(reference.start, reference.end)
            start, end = file.offsets(plan.node)
            file.splices.put(start, end, write_call(file.module, plan, file.splices, new))
            statement = _import_of(file, reference)
            for line in plan.way.imports:
                if statement is not None and line not in _inserted(file):
                    file.insert_after(statement, line)


def _new_text(file: FileEdit, reference: Reference) -> str | None:
    """What stands in the place of a name or of a chain that leads to a moved symbol; `None` when it is left."""
    name = file.local(reference)
    if name is not None and "." not in reference.text:
        return name.after
    moved = file.moved_module(reference)
    if moved is not None:
        return _chain_of_module(reference, moved.old, moved.new)
    symbol = file.symbol(reference)
    if symbol is None:
        return None
    if "." in reference.text:
        return _chain(file, reference, symbol)
    file.leave(reference, f"`{reference.text}` is bound to `{symbol.old}` by something else than an import")
    return None


def _chain_of_module(reference: Reference, old: str, new: str) -> str | None:
    """`old.module.Name`, written in full, where the whole module moves; under another name it stays."""
    if reference.text != old and not reference.text.startswith(f"{old}."):
        return None
    return new + reference.text[len(old) :]


def _chain(file: FileEdit, reference: Reference, symbol: MovedSymbol) -> str | None:
    """`module.Name`: the name gets an import of its own beside the one of the module."""
    statement = _import_of(file, reference)
    if statement is None:
        file.leave(reference, f"`{reference.bound}` is not bound by one import statement")
        return None
    known = _name_in_force(file, reference, symbol)
    if known is not None:
        return known.after
    # One import beside each import of the module: what could see the one can see the other. `module.Name` in a function
    # is looked up when that runs; where the new module is imported with this file, its import must wait as long.
    function = _function_around(file, reference) if file.is_loaded_with(symbol.new_module) else None
    key = symbol.new, f"line {function.lineno if function is not None else statement.lineno}"
    name = file.names.get(key)
    if name is None:
        bound = any(
            one.after == symbol.new_name and not old.startswith("line ") for (_, old), one in file.names.items()
        )
        after = f"_{symbol.new_name}" if bound or file.is_used(symbol.new_name) else symbol.new_name
        name = file.names[key] = LocalName(symbol, reference.bound, after)
        line = f"from {symbol.new_module} import {name.imported}"
        if function is not None:
            file.insert_first(function, line)
        else:
            file.insert_after(statement, line)
    return name.after


def _function_around(file: FileEdit, reference: Reference) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    use = file.use_at(reference)
    scope = use.scope if use is not None else None
    while scope is not None:
        if isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef) and scope.kind == "function":
            return scope.node
        scope = scope.parent
    return None


def _name_in_force(file: FileEdit, reference: Reference, symbol: MovedSymbol) -> LocalName | None:
    """The name that an import at the top of the file, above the reference, binds to the symbol."""
    for one in file.imports:
        name = file.local(one)
        if name is not None and name.symbol.new == symbol.new and one.line < reference.line and file.is_at_top(one):
            return name
    return None


def _annotation(file: FileEdit, reference: Reference, symbol: MovedSymbol) -> str:
    module, _, name = symbol.annotations.rpartition(".")
    statement = _import_of(file, reference)
    line = f"from {module} import {name}"
    if statement is not None and symbol.annotations != symbol.new and line not in _inserted(file):
        file.insert_after(statement, line)
    return name if symbol.annotations != symbol.new else file.splices.text(reference.start, reference.end)


def _import_of(file: FileEdit, reference: Reference) -> ast.stmt | None:
    """The import statement that binds the name of a reference, when it is just one."""
    use = file.use_at(reference)
    found = use.scope.lookup(reference.bound) if use is not None else None
    bindings: list[Binding] = found[1] if found is not None else []
    statements = [file.module.parent(one.node) for one in bindings if one.target is not None]
    if not statements or not isinstance(statements[0], ast.stmt):
        return None
    return statements[0]


def _inserted(file: FileEdit) -> str:
    return "\n".join(text.decode() for start, end, text in file.splices.ranges if start == end)


def _is_followed(file: FileEdit, reference: Reference) -> bool:
    """Whether an attribute, a call or an index follows, which would be taken before the `await`."""
    return file.module.text.utf8[reference.end :].lstrip()[:1] in (b".", b"(", b"[")
