"""What a file gives to others and takes from them: its imports and the names at its top level."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from carrel.errors import SourceError
from carrel.source.text import SourceText

__all__ = ["Export", "ImportSite", "Outline", "outline_of", "read_outline"]


class ImportSite(msgspec.Struct, frozen=True, array_like=True):
    """One `import module`, or one name of a `from module import name`."""

    line: int
    column: int
    level: int
    """Leading dots."""
    module: str
    name: str = ""
    """`*` for a star import, empty for `import module`."""
    bound: str = ""
    """The name it binds."""
    top: bool = True
    """At module level, in `if` and `try` too; otherwise in a function or class."""
    guard: Literal["", "type_checking", "main", "conditional", "optional"] = ""
    """`optional`: the file goes on without it, `except ImportError: pass`."""
    condition: str = ""
    """The dotted text of the name that has to be true for it, where the nearest `if` asks for no more than a name."""

    @property
    def is_loading(self) -> bool:
        """Whether it happens while the module is imported: not for type checkers, nor when the file is run itself."""
        return self.top and self.guard not in ("type_checking", "main")


class Export(msgspec.Struct, frozen=True, array_like=True):
    """One binding of a name at module level."""

    kind: Literal["class", "function", "import", "alias", "value"]
    line: int
    module: str = ""
    """Of an import: the module named, with `level` dots before it."""
    name: str = ""
    """Of an import: the name in that module, empty when the module itself is bound. Of an alias: the dotted text."""
    level: int = 0
    members: tuple[str, ...] = ()
    """Of a class: the names bound in its body."""
    bases: tuple[str, ...] = ()
    """Of a class: its bases as dotted text, empty strings for other expressions."""
    end_line: int = 0
    conditional: bool = False


class Outline(msgspec.Struct, frozen=True, array_like=True):
    """The statements of one file, without looking into expressions."""

    imports: tuple[ImportSite, ...] = ()
    exports: dict[str, tuple[Export, ...]] = {}
    public: tuple[str, ...] | None = None
    """`__all__` where it is a plain list; `None` when there is none or it is computed."""
    lines: int = 0
    error_line: int = 0
    error: str = ""
    """Why the file could not be read, when it could not."""

    @property
    def stars(self) -> Iterator[ImportSite]:
        return (site for site in self.imports if site.name == "*" and site.top)


def read_outline(data: bytes) -> Outline:
    """The outline of a file; one that cannot be decoded or parsed has only its `error`."""
    lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    try:
        tree = SourceText(data).parse()
    except SourceError as error:
        return Outline(lines=lines, error_line=error.line, error=error.problem)
    return outline_of(tree, lines)


def outline_of(tree: ast.Module, lines: int) -> Outline:
    """The outline of a parsed file of so many lines."""
    reader = _Reader()
    reader.read(tree.body)
    exports = {name: tuple(found) for name, found in reader.exports.items()}
    return Outline(tuple(reader.imports), exports, reader.public, lines)


_TOP: Final = 1
_CONDITIONAL: Final = 2
_TYPE_CHECKING: Final = 4
_MAIN: Final = 8
_OPTIONAL: Final = 16


class _Reader:
    def __init__(self) -> None:
        self.imports: list[ImportSite] = []
        self.exports: dict[str, list[Export]] = {}
        self.public: tuple[str, ...] | None = None
        self._computed = False

    def read(self, body: list[ast.stmt]) -> None:
        pending: list[tuple[ast.stmt, int, str]] = [(node, _TOP, "") for node in reversed(body)]
        while pending:
            node, where, condition = pending.pop()
            kind = node.__class__  # compared, for this is done for every statement; mypy learns nothing from that
            if kind is ast.Import or kind is ast.ImportFrom:
                self._import(node, where, condition)  # type: ignore[arg-type]
                continue
            if kind is ast.FunctionDef or kind is ast.AsyncFunctionDef:
                if where & _TOP:
                    self._export(node.name, Export("function", node.lineno, end_line=node.end_lineno or 0), where)  # type: ignore[attr-defined]
                inner = where & ~_TOP
            elif kind is ast.ClassDef:
                if where & _TOP:
                    self._class(node, where)  # type: ignore[arg-type]
                inner = where & ~_TOP
            else:
                if where & _TOP:
                    self._bind(node, where)
                inner = where
            for block, flags in _blocks(node):
                asked = _dotted(node.test) if isinstance(node, ast.If) and block is node.body else condition
                pending.extend((child, inner | flags, asked) for child in reversed(block))

    def _import(self, node: ast.Import | ast.ImportFrom, where: int, condition: str) -> None:
        top = bool(where & _TOP)
        guard: Literal["", "type_checking", "main", "conditional", "optional"] = ""
        if where & _TYPE_CHECKING:
            guard = "type_checking"
        elif where & _MAIN:
            guard = "main"
        elif where & _OPTIONAL:
            guard = "optional"
        elif where & _CONDITIONAL:
            guard = "conditional"
        for alias in node.names:
            if isinstance(node, ast.Import):
                bound = alias.asname or alias.name.partition(".")[0]
                site = ImportSite(alias.lineno, alias.col_offset, 0, alias.name, "", bound, top, guard, condition)
                export = Export("import", node.lineno, alias.name if alias.asname else bound)
            else:
                bound = alias.asname or alias.name
                module = node.module or ""
                site = ImportSite(
                    alias.lineno, alias.col_offset, node.level, module, alias.name, bound, top, guard, condition
                )
                export = Export("import", node.lineno, module, alias.name, node.level)
            self.imports.append(site)
            if top and site.name != "*":
                self._export(bound, export, where)

    def _export(self, name: str, export: Export, where: int) -> None:
        if where & (_CONDITIONAL | _TYPE_CHECKING | _MAIN):
            export = msgspec.structs.replace(export, conditional=True)
        self.exports.setdefault(name, []).append(export)

    def _class(self, node: ast.ClassDef, where: int) -> None:
        members = dict.fromkeys(name for statement in node.body for name in _bound_by(statement))
        bases = tuple(_dotted(base) for base in node.bases)
        export = Export("class", node.lineno, members=tuple(members), bases=bases, end_line=node.end_lineno or 0)
        self._export(node.name, export, where)

    def _bind(self, node: ast.stmt, where: int) -> None:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        dotted = _dotted(value) if value is not None else ""
        for name in _bound_by(node):
            if name == "__all__":
                self._all(node)
            if dotted and isinstance(node, ast.Assign | ast.AnnAssign):
                self._export(name, Export("alias", node.lineno, name=dotted), where)
            else:
                self._export(name, Export("value", node.lineno), where)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = _dotted(node.value.func)
            if called.startswith("__all__."):
                self._all(node)

    def _all(self, node: ast.stmt) -> None:
        """`__all__ = […]`, `+= […]`, `.extend([…])` and `.append("…")` are read; anything else is computed."""
        added: list[str] | None = None
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            added = _strings(node.value)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and len(node.value.args) == 1:
            method = _dotted(node.value.func)
            argument = node.value.args[0]
            added = _strings(argument) if method == "__all__.extend" else None
            if method == "__all__.append" and isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                added = [argument.value]
        if added is None:
            self._computed = True
        if self._computed or added is None:
            self.public = None
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            self.public = tuple(added)
        else:
            self.public = (*(self.public or ()), *added)


def _blocks(node: ast.stmt) -> Iterable[tuple[list[ast.stmt], int]]:
    match node:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"), comparators=[ast.Constant(value="__main__")])):
            return ((node.body, _MAIN), (node.orelse, _CONDITIONAL))
        case ast.If():
            named = node.test.attr if isinstance(node.test, ast.Attribute) else getattr(node.test, "id", "")
            checking = named == "TYPE_CHECKING"
            return ((node.body, _TYPE_CHECKING if checking else _CONDITIONAL), (node.orelse, _CONDITIONAL))
        case ast.Try() | ast.TryStar():
            handlers = [(handler.body, _CONDITIONAL) for handler in node.handlers]
            body = _CONDITIONAL | _OPTIONAL if any(map(_goes_on, node.handlers)) else _CONDITIONAL
            return ((node.body, body), *handlers, (node.orelse, _CONDITIONAL), (node.finalbody, 0))
        case ast.For() | ast.AsyncFor() | ast.While():
            return ((node.body, _CONDITIONAL), (node.orelse, _CONDITIONAL))
        case ast.With() | ast.AsyncWith() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return ((node.body, 0),)
        case ast.Match():
            return [(case.body, _CONDITIONAL) for case in node.cases]
    return ()


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Whether the file does without what could not be imported, and puts nothing in its place."""
    return _dotted(handler.type or handler) in ("ImportError", "ModuleNotFoundError") and all(
        isinstance(one, ast.Pass) for one in handler.body
    )


def _bound_by(node: ast.stmt) -> Iterator[str]:
    """The names that one statement binds in its own scope, not looking into blocks."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Assign():
            for target in node.targets:
                yield from _names(target)
        case ast.AnnAssign() | ast.AugAssign() | ast.For() | ast.AsyncFor():
            yield from _names(node.target)
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                if item.optional_vars is not None:
                    yield from _names(item.optional_vars)
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0]


def _names(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _names(element)
    elif isinstance(target, ast.Starred):
        yield from _names(target.value)


def _dotted(node: ast.AST) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Subscript) and not parts:
        return _dotted(node.value)
    if not isinstance(node, ast.Name):
        return ""
    parts.append(node.id)
    return ".".join(reversed(parts))


def _strings(node: ast.expr) -> list[str] | None:
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    found = []
    for element in node.elts:
        if not isinstance(element, ast.Constant) or not isinstance(element.value, str):
            return None
        found.append(element.value)
    return found
