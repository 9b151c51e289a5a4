"""Puts a redirect in the place of an old implementation, for callers that have not moved."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from carrel.errors import SourceError
from carrel.migrate.gates.unparsable import compile_problem
from carrel.migrate.loading import loaded_with
from carrel.migrate.outcome import Edited, FileOutcome, Refused, Unchanged
from carrel.migrate.recipe import Recipe, Shim
from carrel.migrate.references import Reference, find_references
from carrel.migrate.shim_text import ShimText, module_redirect, names_in_module
from carrel.migrate.splices import Splices
from carrel.source import Module, Outline, Project, Scope, SourceTree, Use, read_module, read_outline

__all__ = ["is_shim", "make_shims"]

_Kind = Literal["class", "function", "async function", "value"]


def make_shims(root: str | Path, recipe: Recipe, *, jobs: int = 0, cache: bool = True) -> Iterator[FileOutcome]:
    """What becomes of each file that defines the old name of one of the recipe's `shims`. Writes nothing.

    The old definition gives way to a function that makes its stand-in when somebody asks for the name, with a
    `DeprecationWarning`; everything else in the file stays. Where the recipe maps no constructor and renames no
    attribute, the stand-in is the new object itself. Otherwise calls, subclasses, class attributes, `isinstance` and
    old pickles go on working as well.

    A file is refused, with the reason, where that cannot be done soundly: above all while the new module still imports
    the old name.
    """
    tree = SourceTree(root, exclude=recipe.tree.exclude)
    project = Project([file.path for file in tree.files()], _Outlines(tree), roots=recipe.tree.roots)
    references = find_references(tree, recipe, jobs=jobs, cache=cache).references
    by_path: dict[str, list[Shim]] = defaultdict(list)
    for shim in recipe.shims:
        module = project.path(shim.old)
        by_path[module or project.path(shim.old.rpartition(".")[0]) or ""].append(shim)
    for path, shims in sorted(by_path.items()):
        yield _File(path, shims, recipe, tree, project, references).outcome()


def is_shim(outline: Outline, name: str) -> bool:
    """Whether a name of a module is only the redirect that `make_shims` writes."""
    return f"_moved_{name}" in outline.exports and "__getattr__" in outline.exports


@dataclass(frozen=True, slots=True)
class _Outlines:
    tree: SourceTree

    def __call__(self, path: str) -> Outline:
        try:
            return read_outline(self.tree.read(path))
        except SourceError as error:
            return Outline(error=error.problem)


class _File:
    """One file that defines old names."""

    def __init__(
        self,
        path: str,
        shims: Sequence[Shim],
        recipe: Recipe,
        tree: SourceTree,
        project: Project,
        references: Sequence[Reference],
    ) -> None:
        self._path = path
        self._shims = shims
        self._recipe = recipe
        self._tree = tree
        self._project = project
        self._references = references

    def outcome(self) -> FileOutcome:
        if not self._path:
            return Refused(path="", reason=f"`{self._shims[0].old}` is not in this code base")
        try:
            before = self._tree.read(self._path)
            module = read_module(self._path, self._project.name(self._path), before)
            after = self._shimmed(module)
        except (SourceError, ValueError) as error:
            return Refused(path=self._path, reason=str(error))
        problem = compile_problem(self._path, after)
        if problem:
            return Refused(path=self._path, reason=f"would not compile: {problem}")
        if after == before:
            return Unchanged(path=self._path)
        return Edited(path=self._path, before=before, after=after, edits=len(self._shims))

    def _shimmed(self, module: Module) -> bytes:
        newline = "\r\n" if b"\r\n" in module.text.utf8 else "\n"
        whole = [shim for shim in self._shims if self._project.path(shim.old) == self._path]
        if whole:
            return module.text.encode(_lines(self._redirected(module, whole[0]), newline))
        outline = self._project.outline(self._path)
        shims = [shim for shim in self._shims if not is_shim(outline, shim.old.rpartition(".")[2])]
        splices = Splices(module.text)
        texts = [self._text(module, splices, shim, newline) for shim in shims]
        if texts:
            end = names_in_module(
                texts,
                dynamic="__getattr__" in outline.exports,
                public="__all__" not in outline.exports,
                checking=_imports_checking(module),
            )
            utf8 = module.text.utf8
            gap = "\n" if utf8.endswith((b"\n", b"\r")) or not utf8 else "\n\n"
            splices.insert(len(utf8), _lines(gap + end, newline).decode())
        return module.text.encode(splices.apply())

    def _redirected(self, module: Module, shim: Shim) -> str:
        if module.name.is_package:
            raise ValueError(f"`{shim.old}` is a package, whose modules would not be found; give each a shim")
        if self._project.path(shim.new) is None and self._project.is_module(shim.new.partition(".")[0]):
            raise ValueError(f"`{shim.new}` does not exist")
        return module_redirect(shim)

    def _text(self, module: Module, splices: Splices, shim: Shim, newline: str) -> ShimText:
        """Take the old definition out of the file, and put what makes its stand-in there."""
        name = shim.old.rpartition(".")[2]
        node = _definition(module, name)
        kind = _kind(node)
        symbol = self._recipe.symbol(shim.old)
        call = symbol.call if symbol is not None else None
        if call is not None and not call.sync:
            raise ValueError(f"`{shim.old}` is awaited now, which a use of the old name cannot do")
        text = ShimText(
            shim=shim,
            kind=kind,
            new_is_class=self._is_class(shim, kind),
            constructor=self._recipe.constructor(shim.old),
            renamed=self._recipe.renamed(shim.old),
            call=call,
        )
        uses = _uses(module, node, name)
        self._check(shim, eager=bool(uses))
        definition = text.definition()
        if uses:
            # The rest of the module needs the name when it is imported.
            definition += f"\n\n_{name} = _moved_{name}()\n"
        start, end = _span(module, node)
        splices.put(start, end, _lines(definition.rstrip("\n"), newline).decode())
        for use in uses:
            at = module.text.offset(use.node.lineno, use.node.col_offset)
            splices.put(at, at + len(name.encode()), f"_{name}")
        return text

    def _is_class(self, shim: Shim, kind: _Kind) -> bool:
        found = self._project.definition(shim.new)
        if found is not None and found.export is not None:
            return found.export.kind == "class"
        if any(one.kind == "missing" for one in self._project.resolve(shim.new)):
            raise ValueError(f"`{shim.new}` does not exist")
        return kind == "class"

    def _check(self, shim: Shim, *, eager: bool) -> None:
        """Raise `ValueError` where the new module would be imported while it is being imported."""
        new = self._project.definition(shim.new)
        if new is None:
            return
        loaded = loaded_with(self._project, new.path)
        if eager and self._path in loaded:
            raise ValueError(
                f"the rest of {self._path} uses `{shim.old.rpartition('.')[2]}`, and {new.path} imports that file; "
                "move what it needs from there first"
            )
        first = next(
            (one for one in self._references
             if one.symbol == shim.old and one.kind == "import" and one.path in loaded), None
        )  # fmt: skip
        if first is not None:
            raise ValueError(f"{first.path}:{first.line} is imported with `{shim.new}` and imports the old name")


def _definition(module: Module, name: str) -> ast.stmt:
    """The one statement at the top of the module that defines a name."""
    bindings = module.scope.bindings.get(name, [])
    if len(bindings) != 1:
        raise ValueError(f"it binds `{name}` {len(bindings)} times, and only one definition can be replaced")
    statement: ast.AST | None = bindings[0].node
    while statement is not None and not isinstance(statement, ast.stmt):
        statement = module.parent(statement)
    if statement is None or not isinstance(module.parent(statement), ast.Module):
        raise ValueError(f"`{name}` is not defined by a statement of the module itself, but under a condition")
    match statement:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return statement
        case ast.Assign(targets=[ast.Name()]) | ast.AnnAssign(target=ast.Name()):
            return statement
    raise ValueError(f"`{name}` is bound by an import, or together with other names; it has no definition here")


def _kind(node: ast.stmt) -> _Kind:
    match node:
        case ast.ClassDef():
            return "class"
        case ast.FunctionDef():
            return "function"
        case ast.AsyncFunctionDef():
            return "async function"
    return "value"


def _uses(module: Module, node: ast.stmt, name: str) -> list[Use]:
    """Where the rest of the module uses the name that its own top level binds."""
    start, end = _span(module, node)
    found = []
    for use in module.uses:
        if use.name != name:
            continue
        at = module.text.offset(use.node.lineno, use.node.col_offset)
        if start <= at < end or not _is_of_module(use.scope, name):
            continue
        if not use.exact or not isinstance(use.node.ctx, ast.Load):
            raise ValueError(f"line {use.node.lineno} uses `{name}` in a way that cannot be redirected")
        found.append(use)
    return found


def _is_of_module(scope: Scope, name: str) -> bool:
    found = scope.lookup(name)
    return found is not None and found[0].kind == "module"


def _span(module: Module, node: ast.stmt) -> tuple[int, int]:
    """Where a definition begins and ends, its decorators included."""
    first = min([node, *getattr(node, "decorator_list", ())], key=lambda one: one.lineno)
    at_sign = 0 if first is node else 1
    start = module.text.offset(first.lineno, first.col_offset)
    if at_sign:
        start = module.text.utf8.rindex(b"@", 0, start)
    return start, module.text.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)


def _imports_checking(module: Module) -> bool:
    bindings = module.scope.bindings.get("TYPE_CHECKING", [])
    return any(module.imported(one) == "typing.TYPE_CHECKING" for one in bindings)


def _lines(text: str, newline: str) -> bytes:
    return text.replace("\n", newline).encode()
