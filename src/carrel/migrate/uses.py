"""The imports of what is looked for in one file, and the uses of the names that they bind."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.migrate.leads import Lead, Leads, is_fallback
from carrel.migrate.nodes import Nodes
from carrel.migrate.reference import Kind
from carrel.migrate.site import Site, make_site
from carrel.source import Binding, Module, Use

__all__ = ["import_sites", "use_sites"]

_FROM: Final = re.compile(rb"from[\s\\]*(?P<module>[.\w](?:[.\w\s\\]*?[.\w])??)[\s\\]+import\b")


def import_sites(module: Module, nodes: Nodes, names: frozenset[str]) -> Iterator[Site]:
    """Imports that name one of `names`, or a module of such a name, and the fallbacks beside them."""
    seen: set[ast.AST] = set()
    for scope in dict.fromkeys(module.scopes.scopes.values()):
        for bindings in scope.bindings.values():
            targets: list[str] = []
            for binding in bindings:
                if binding.target is None or binding.node in seen or not isinstance(binding.node, ast.alias):
                    continue
                seen.add(binding.node)
                found = _imported(module, binding, binding.node, names)
                if found is not None:
                    targets.extend(found.targets)
                    yield found
            if targets:
                yield from _fallbacks(module, bindings, tuple(dict.fromkeys(targets)), names)
    yield from _module_parts(module, nodes, names)


def use_sites(module: Module, nodes: Nodes, names: frozenset[str], leads: Leads) -> Iterator[Site]:
    """Uses of names, and of chains of attributes, that lead to one of `names`; and the star imports they need."""
    stars: dict[str, None] = {}
    bound = _bound_names(module, names)
    for use in module.uses:
        # Most names lead nowhere, and following each would take longer than parsing.
        if use.name not in bound:
            continue
        lead = leads.of_name(use.name, use.scope)
        if lead.aliased or not any(target.rpartition(".")[2] in names for target in lead.targets):
            continue
        if lead.star:
            stars[use.name] = None
        yield _used(module, use, use.node, lead)
    yield from _chains(module, nodes, names, leads)
    for statement, level, source in module.scope.stars:
        base = module.name.absolute(level, source)
        for name in stars:
            if base:
                alias = statement.names[0]
                yield make_site(module, _range(alias), "import", (f"{base}.{name}",), module.scope, star=True)


def _chains(module: Module, nodes: Nodes, names: frozenset[str], leads: Leads) -> Iterator[Site]:
    """`package.module.Name`, and `import_module("package.module").Name`."""
    found = [node for node in nodes.attributes if node.attr in names]
    uses = {use.node: use for use in module.uses} if found else {}
    for node in found:
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        use = uses.get(root) if isinstance(root, ast.Name) else None
        lead = leads.of(node, use.scope if use is not None else None)
        if not lead.targets:
            continue
        if use is not None:
            yield _used(module, use, node, lead)
        elif isinstance(root, ast.Call):
            scope = module.scope_of(node)
            yield make_site(module, _range(node), _role(module, node), lead.targets, scope, doubt=lead.doubt)


def _bound_names(module: Module, names: frozenset[str]) -> set[str]:
    """The local names that an import may bind to one of `names`."""
    found = set(names) if module.scope.stars else set()
    for scope in dict.fromkeys(module.scopes.scopes.values()):
        for name, bindings in scope.bindings.items():
            for binding in bindings:
                if binding.target is not None:
                    target = binding.target[2] or binding.target[1] or ""
                    if target.rpartition(".")[2] in names:
                        found.add(name)
    return found


def _imported(module: Module, binding: Binding, alias: ast.alias, names: frozenset[str]) -> Site | None:
    target = alias.name if binding.kind == "import" else module.imported(binding)
    if not target:
        return None
    parts = target.split(".")
    named = not names.isdisjoint(parts) if binding.kind == "import" else parts[-1] in names
    if not named:
        return None
    return make_site(module, _range(alias), "import", (target,), binding.scope, bound=binding.name)


def _fallbacks(
    module: Module, bindings: list[Binding], targets: tuple[str, ...], names: frozenset[str]
) -> Iterator[Site]:
    """What stands in for an import that failed, where it has the name itself: `as` another it can stay as it is."""
    for binding in bindings:
        if binding.target is None and binding.name in names and is_fallback(module, binding):
            node = binding.node
            if isinstance(node, ast.Name):
                place = _range(node)
            elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                place = _name_of(module, node)
            else:
                continue
            yield make_site(module, place, "fallback_store", targets, binding.scope, bound=binding.name)


def _module_parts(module: Module, nodes: Nodes, names: frozenset[str]) -> Iterator[Site]:
    """`from package.module import …`: the module's own name, for modules that move."""
    for node in nodes.imports:
        if node.module and not names.isdisjoint(node.module.split(".")):
            target = module.name.absolute(node.level, node.module)
            start = module.text.offset(node.lineno, node.col_offset)
            match = _FROM.match(module.text.utf8, start)
            if target and match is not None and match["module"].isascii():
                column = node.col_offset + match.start("module") - start
                place = (node.lineno, column, node.lineno, column + len(match["module"]))
                yield make_site(module, place, "import", (target,), module.scope_of(node))


def _used(module: Module, use: Use, node: ast.expr, lead: Lead) -> Site:
    kind: Kind = "string_annotation" if use.in_string else "annotation" if use.in_annotation else _role(module, node)
    place = _range(node)
    start = module.text.offset(place[0], place[1])
    doubt = lead.doubt
    if not use.exact or not module.text.utf8.startswith(use.name.encode(), start):
        doubt = "its place in the string is not known"
    return make_site(
        module, place, kind, lead.targets, use.scope, bound=use.name, star=lead.star, stars=lead.stars,
        mixed=lead.mixed, doubt=doubt,
    )  # fmt: skip


def _role(module: Module, node: ast.expr) -> Kind:
    parent = module.parent(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        return "call"
    if isinstance(parent, ast.Subscript) and parent.value is node:
        node, parent = parent, module.parent(parent)
    return "base" if isinstance(parent, ast.ClassDef) and node in parent.bases else "name"


def _range(node: ast.expr | ast.alias | ast.stmt) -> tuple[int, int, int, int]:
    return node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def _name_of(module: Module, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int, int, int]:
    """The place of the name in `class X`, which stands in the line where the statement begins."""
    start = module.text.offset(node.lineno, node.col_offset)
    found = re.compile(rb"(?:async[\s\\]+)?(?:def|class)[\s\\]+").match(module.text.utf8, start)
    column = node.col_offset + (found.end() - start if found else 0)
    return node.lineno, column, node.lineno, column + len(node.name.encode())
