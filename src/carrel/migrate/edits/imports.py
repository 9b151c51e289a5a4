"""Import statements: a name comes from its new module, the others of the statement stay."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import Final

from carrel.migrate.edits.file_edit import FileEdit
from carrel.migrate.edits.naming import LocalName
from carrel.migrate.references import Kind, Reference

__all__ = ["ImportEdit"]

_MODULE: Final = re.compile(rb"from[\s\\]*(?P<module>\.[.\s\\]*[\w.]*|[^\s.][^\s]*)[\s\\]*(?<![\w])import\b")


class ImportEdit:
    """`from old import Name`, in every form, and `import old` for modules that move."""

    kinds: tuple[Kind, ...] = ("import",)

    def edit(self, file: FileEdit) -> None:
        by_statement: dict[ast.ImportFrom, list[tuple[ast.alias, LocalName]]] = defaultdict(list)
        beside: dict[ast.ImportFrom, LocalName] = {}
        for reference in file.of_kind(*self.kinds):
            alias = file.alias_at(reference)
            if file.moved_module(reference) is not None:
                self._module(file, reference, alias)
                continue
            statement = file.module.parent(alias) if alias is not None else None
            name, maker = file.local(reference), file.maker(reference)
            if alias is None or not isinstance(statement, ast.ImportFrom):
                file.leave(reference, "it is no import of a name")
            elif alias.name == "*":
                self._star(file, reference, statement)
            elif (reference.symbol, reference.bound) in file.both and name is not None:
                file.insert_after(statement, _import_line(file, statement, name))
                file.leave(reference, file.both[reference.symbol, reference.bound])
            elif name is not None:
                by_statement[statement].append((alias, name))
                if maker is not None and maker is not name:
                    beside[statement] = maker
        for statement, moved in by_statement.items():
            self._names(file, statement, moved)
        for statement, maker in beside.items():
            file.insert_after(statement, _import_line(file, statement, maker))

    def _names(self, file: FileEdit, statement: ast.ImportFrom, moved: list[tuple[ast.alias, LocalName]]) -> None:
        modules = {name.symbol.new_module for _, name in moved}
        if len(moved) == len(statement.names) and len(modules) == 1:
            self._all_names(file, statement, moved, modules.pop())
            return
        start, end = file.offsets(statement)
        indices = [statement.names.index(alias) for alias, _ in moved]
        # As it will be: its module may have been edited already.
        file.splices.put(start, end, without_names(file.splices.text(start, end), indices))
        for module in sorted(modules):
            names = ", ".join(sorted({name.imported for _, name in moved if name.symbol.new_module == module}))
            line = f"from {_written(file, statement, module)} import {names}"
            if len(indices) == len(statement.names):
                # Nothing of the statement is left, so that the new ones take its place.
                file.splices.put(start, end, line)
                indices = []
            else:
                file.insert_after(statement, line)

    def _all_names(
        self, file: FileEdit, statement: ast.ImportFrom, moved: list[tuple[ast.alias, LocalName]], module: str
    ) -> None:
        start, end = file.offsets(statement)
        match = _MODULE.match(file.module.text.utf8, start, end)
        if match is None:
            names = ", ".join(name.imported for _, name in moved)
            file.splices.put(start, end, f"from {_written(file, statement, module)} import {names}")
            return
        written = _written(file, statement, module)
        first, last = match.span("module")
        old = file.module.text.utf8[first:last].decode()
        kept = old[len(old.rstrip()) :]  # `from .x import`: the blank before `import`
        file.splices.put(first, last, written + kept)
        for alias, name in moved:
            file.splices.put(*file.offsets(alias), name.imported)

    def _star(self, file: FileEdit, reference: Reference, statement: ast.ImportFrom) -> None:
        """What a star brought gets an import of its own behind it."""
        symbol = file.recipe.symbol(reference.symbol)
        if symbol is None:
            file.leave(reference, "a star import of a module that moves")
            return
        mine = (one for one in file.references if one.symbol == symbol.old and one.kind != "import")
        module = reference.written.rpartition(".")[0]
        # What is reached through a module has the module's name bound; what another import binds has another way there.
        brought = (one for one in mine if one.bound and "." not in one.text)
        uses = [one for one in brought if one.written in ("", f"{module}.{one.bound}")]
        for before in sorted({one.bound for one in uses if file.symbol(one) == symbol}):
            file.names[symbol.old, before] = LocalName(symbol, before, before)
            file.insert_after(statement, _import_line(file, statement, file.names[symbol.old, before]))
        for maker in dict.fromkeys(file.local(one) for one in uses if file.symbol(one) != symbol):
            if maker is not None:
                file.insert_after(statement, _import_line(file, statement, maker))
        if any(one.reference.symbol == symbol.old for one in file.left):
            file.leave(reference, "a use of what it brings is left")

    def _module(self, file: FileEdit, reference: Reference, alias: ast.alias | None) -> None:
        """A module that moves: its name in `import x.y`, in `from x.y import z`, or as the `y` of `from x import y`."""
        moved = file.moved_module(reference)
        if moved is None:
            return
        new = moved.new + reference.resolved_to[len(moved.old) :] if reference.resolved_to != moved.old else moved.new
        if alias is None:
            written = reference.text
            if written.startswith("."):
                file.replace(reference, _relative(file, written, new))
            else:
                file.replace(reference, new)
            return
        statement = file.module.parent(alias)
        if isinstance(statement, ast.Import):
            if alias.asname is None and reference.bound != new.partition(".")[0]:
                uses = any(use.name == reference.bound for use in file.module.uses)
                if uses and not _all_moved(file, reference):
                    file.leave(reference, f"`{reference.bound}` is used for other modules too")
                    return
            file.replace(reference, f"{new} as {alias.asname}" if alias.asname else new)
        elif isinstance(statement, ast.ImportFrom):
            package, _, last = new.rpartition(".")
            bound = alias.asname or alias.name
            imported = last if last == bound else f"{last} as {bound}"
            start, end = file.offsets(statement)
            line = f"from {package} import {imported}" if package else f"import {new} as {bound}"
            if len(statement.names) == 1:
                file.splices.put(start, end, line)
            else:
                text = file.module.text.utf8[start:end].decode()
                file.splices.put(start, end, without_names(text, [statement.names.index(alias)]))
                file.insert_after(statement, line)


def without_names(statement: str, indices: list[int]) -> str:
    """A `from` import without some of its names, and all its comments; at least one name must stay."""
    # From the last to the first, so that the indices stay right.
    for index in sorted(indices, reverse=True):
        statement = _without_name(statement, index)
    return statement


def _without_name(statement: str, index: int) -> str:
    node = ast.parse(statement).body[0]
    if not isinstance(node, ast.ImportFrom):
        raise TypeError("this is no import of names")
    data = statement.encode()
    starts = [0, *(match.end() for match in re.finditer(rb"\r\n|\r|\n", data))]
    spans = [
        (starts[one.lineno - 1] + one.col_offset, starts[(one.end_lineno or 1) - 1] + (one.end_col_offset or 0))
        for one in node.names
    ]
    first, last = spans[index]
    behind = re.compile(rb"[\s\\]*,").match(data, last)
    if behind is not None:
        last = behind.end()
    elif index > 0:
        # The last name without a comma behind it: the comma before it goes, unless parentheses allow it.
        before = data.rindex(b",", 0, first)
        between = data[before + 1 : first]
        if not between.strip(b" \t\\\r\n"):
            first = before
        elif b"(" not in data[: spans[0][0]]:
            data = data[:before] + b" " + data[before + 1 :]
    line_start = max(data.rfind(b"\n", 0, first), data.rfind(b"\r", 0, first)) + 1
    ends = [at for at in (data.find(b"\n", last), data.find(b"\r", last)) if at >= 0]
    line_end = min(ends, default=len(data))
    alone = not data[line_start:first].strip() and not data[last:line_end].strip() and line_start > 0
    if alone and ends:
        end = line_end + (2 if data[line_end : line_end + 2] == b"\r\n" else 1)
        return (data[:line_start] + data[end:]).decode()
    while (
        last < len(data) and data[last : last + 1] in (b" ", b"\t") and data[first - 1 : first] in (b" ", b"(", b"\t")
    ):
        last += 1
    return (data[:first] + data[last:]).decode()


def _import_line(file: FileEdit, statement: ast.ImportFrom, name: LocalName) -> str:
    """The import of one more name beside another one."""
    return f"from {_written(file, statement, name.symbol.new_module)} import {name.imported}"


def _written(file: FileEdit, statement: ast.ImportFrom, module: str) -> str:
    """How an import of a module is written in the place of another: relative where that was, and where it can be."""
    if not statement.level:
        return module
    base = file.module.name.absolute(statement.level, None)
    dots = "." * statement.level
    if base is not None and module.startswith(f"{base}."):
        return dots + module[len(base) + 1 :]
    return module


def _relative(file: FileEdit, written: str, new: str) -> str:
    level = len(written) - len(written.lstrip("."))
    base = file.module.name.absolute(level, None)
    return "." * level + new[len(base) + 1 :] if base and new.startswith(f"{base}.") else new


def _all_moved(file: FileEdit, reference: Reference) -> bool:
    """Whether every use of the name that an import binds is one of the moved module."""
    places = {(one.line, one.column) for one in file.references if one.bound == reference.bound}
    return all(
        (use.node.lineno, use.node.col_offset) in places for use in file.module.uses if use.name == reference.bound
    )
