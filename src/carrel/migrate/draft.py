"""Writes a recipe from an old and a new class, by reading both."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from inspect import Parameter, Signature
from pathlib import Path

from carrel.errors import MigrationError, SourceError
from carrel.migrate.phases import DEFAULT_PHASES, phase_of
from carrel.migrate.signatures import signature_of
from carrel.source import Outline, Project, SourceText, SourceTree, read_outline

__all__ = ["draft_recipe"]


def draft_recipe(root: str | Path, old: str, new: str) -> str:
    """The text of a recipe that moves `old` to `new`, both dotted names.

    Raises `MigrationError` when the old one is not defined below `root`.
    """
    tree = SourceTree(root)
    paths = [file.path for file in tree.files()]

    def outline(path: str) -> Outline:
        try:
            return read_outline(tree.read(path))
        except SourceError as error:
            return Outline(error=error.problem)

    project = Project(paths, outline)
    old_class = _read(tree, project, old)
    new_class = _read(tree, project, new)
    if old_class is None and project.definition(old) is None:
        raise MigrationError(f"{old} is not defined below {tree.root}; give its dotted name as an import writes it")
    lines = [
        "# Written by `carrel migrate init`; check it, then look at `carrel migrate plan`.",
        "schema_version = 1",
        f"name = {json.dumps(f'{_last(old)} to {_last(new)}')}",
        "",
        "[[symbols]]",
        f'old = "{old}"',
        f'new = "{new}"',
        'alias = "rename"                     # "keep" imports the new one `as` the old name and leaves the uses',
        "",
    ]
    if isinstance(old_class, ast.ClassDef):
        lines += _constructor(old, new, old_class, new_class)
        lines += _attributes(old, old_class, new_class)
    lines += _phases(paths)
    lines += ["[gates]", "slower_at_most = 1.2", "memory_at_most = 1.5", ""]
    if any(Path(path).name.startswith("test_") for path in paths):
        lines += ["[[gates.commands]]", 'name = "tests"', 'run = "python -m pytest -q"', ""]
    lines += ["[[shims]]", f'old = "{old}"', f'new = "{new}"', "", "[cleanup]", f'remove = ["{old}"]']
    return "\n".join(lines) + "\n"


def _read(tree: SourceTree, project: Project, dotted: str) -> ast.ClassDef | None:
    found = project.definition(dotted)
    if found is None:
        return None
    try:
        body: list[ast.stmt] = SourceText(tree.read(found.path)).parse().body
    except SourceError:
        return None
    node: ast.ClassDef | None = None
    for part in found.name.split("."):
        node = next((one for one in body if isinstance(one, ast.ClassDef) and one.name == part), None)
        if node is None:
            return None
        body = node.body
    return node


def _signature(node: ast.ClassDef) -> Signature | None:
    """What the class is called with; `None` when it inherits that."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return signature_of(statement, bound=True)
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
        parameters = [
            Parameter(
                ast.unparse(field.target),
                Parameter.POSITIONAL_OR_KEYWORD,
                default=Parameter.empty if field.value is None else ast.unparse(field.value),
            )
            for field in fields
        ]
        return Signature(parameters)
    return None if node.bases else Signature()


def _constructor(old: str, new: str, old_class: ast.ClassDef, new_class: ast.ClassDef | None) -> list[str]:
    before = _signature(old_class)
    after = _signature(new_class) if new_class is not None else None
    if before is None or after is None:
        return ["# The signature of one of the classes is inherited: write [[constructors]] when calls change.", ""]
    if _written(before) == _written(after):
        return []
    maker = f"{new.rpartition('.')[0]}.{_snake(new)}_from_{_snake(old)}"
    lines = ["[[constructors]]", f'symbol = "{old}"', f"signature = {json.dumps(_written(before))}"]
    lines += [f'maker = "{maker}"  # is added there for calls that pass `*`, or that no way below fits', ""]
    lines += ["[[constructors.calls]]", 'call = "{new}"', f"signature = {json.dumps(_written(after))}"]
    missing = []
    for parameter in _plain(after):
        if parameter.name in before.parameters:
            lines.append(f'parameters.{parameter.name} = "{{{parameter.name}}}"')
        elif parameter.default is Parameter.empty:
            missing.append(parameter.name)
            lines.append(f'parameters.{parameter.name} = "…"')
    if missing:
        known = ", ".join(f"{{{name}}}" for name in before.parameters) or "nothing"
        note = f"# No old parameter is called {', '.join(missing)}: say how to make it from {known}, then uncomment."
        return [note, *(f"# {line}".rstrip() for line in lines), ""]
    return [*lines, ""]


def _attributes(old: str, old_class: ast.ClassDef, new_class: ast.ClassDef | None) -> list[str]:
    if new_class is None:
        return []
    gone = sorted(_members(old_class) - _members(new_class))
    if not gone or new_class.bases:
        return []
    renames = ", ".join(f'{name} = "…"' for name in gone)
    return [
        "# The new class has none of these; name what they are called now, then uncomment.",
        "# [[attributes]]",
        f'# symbol = "{old}"',
        f"# rename = {{ {renames} }}",
        "",
    ]


def _members(node: ast.ClassDef) -> set[str]:
    names = {one.name for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    return {name for name in names if not name.startswith("_")}


def _phases(paths: Iterable[str]) -> list[str]:
    """The default phases that this code base has files for, and the code that is not a test before them."""
    used = {phase_of(path, DEFAULT_PHASES, {}) for path in paths}
    rules = [rule for rule in DEFAULT_PHASES if rule.name in used]
    tests = [glob for rule in rules for glob in rule.paths]
    lines = ["[[phases]]", 'name = "code"', 'paths = ["**"]']
    if tests:
        lines.append(f"exclude = {json.dumps(tests)}")
    for rule in rules:
        lines += ["", "[[phases]]", f'name = "{rule.name}"', f"paths = {json.dumps(list(rule.paths))}"]
    return [*lines, ""]


def _plain(signature: Signature) -> list[Parameter]:
    several = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return [one for one in signature.parameters.values() if one.kind not in several]


def _written(signature: Signature) -> str:
    """As a recipe writes it: the defaults are source text already, so that `str` would quote them."""
    parts: list[str] = []
    before: Parameter | None = None
    for one in signature.parameters.values():
        if before is not None and before.kind is Parameter.POSITIONAL_ONLY and one.kind is not before.kind:
            parts.append("/")
        seen_star = before is not None and before.kind in (Parameter.VAR_POSITIONAL, Parameter.KEYWORD_ONLY)
        if one.kind is Parameter.KEYWORD_ONLY and not seen_star:
            parts.append("*")
        stars = "*" if one.kind is Parameter.VAR_POSITIONAL else "**" if one.kind is Parameter.VAR_KEYWORD else ""
        parts.append(f"{stars}{one.name}" + ("" if one.default is Parameter.empty else f"={one.default}"))
        before = one
    if before is not None and before.kind is Parameter.POSITIONAL_ONLY:
        parts.append("/")
    return f"({', '.join(parts)})"


def _snake(dotted: str) -> str:
    """The last part of a dotted name, as functions are named: `HTTPServer` is `http_server`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", _last(dotted)).lower()


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]
