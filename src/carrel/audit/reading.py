"""From one file's view to its facts."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator
from typing import Final

from carrel.audit.access import Access
from carrel.audit.admission import admitted
from carrel.audit.asking import asks_request, asks_who
from carrel.audit.blocks import Block, chain
from carrel.audit.body_lines import class_lines, statements
from carrel.audit.cacheable import cacheable_headers
from carrel.audit.calling import FOREIGN, call_facts
from carrel.audit.depending import run_before
from carrel.audit.entry_points import page_of
from carrel.audit.facts import PRELOADED, ClassFact, FunctionFact, GlobalFact
from carrel.audit.file_view import FileView
from carrel.audit.gives import collected_by, given_back, gives_none
from carrel.audit.held import fields_of, goes_round, own_containers
from carrel.audit.memos import memo_of, stored_under
from carrel.audit.nobody import key_names, keyed_parameters
from carrel.audit.origins import called_name
from carrel.audit.owner_checks import fetched_model
from carrel.audit.owners import asked_kinds, owner_field
from carrel.audit.reads import changed_fields, read_fields, read_names
from carrel.audit.refusals import refusal
from carrel.audit.tagged import tagged_stores
from carrel.source import Binding

__all__ = ["class_facts", "context_variables", "forked_paths", "function_facts", "global_facts",
           "replaced_names", "starts_afresh"]  # fmt: skip

_POOLED: Final = frozenset({"submit", "map", "apply", "apply_async", "imap", "imap_unordered", "starmap"})
_POOLS: Final = re.compile(
    r"(?:concurrent\.futures\.(?:process\.)?Process|multiprocessing\.(?:pool\.|get_context\(\)\.)?)"
    r"Pool(?:Executor)?\(\)"
)
"""Pools of processes, which are forked when the first work is handed to them, and what hands work to them."""
_MANY: Final = 8
_FIELDS: Final = frozenset({"field", "Field", "PrivateAttr", "attrib", "ib", "Factory", "mapped_column", "Column",
                            "relationship", "computed_field", "Relationship"})  # fmt: skip


def function_facts(view: FileView) -> tuple[FunctionFact, ...]:
    """Every function and method of a file."""
    changed = {
        mutation.block
        for mutation in view.mutations
        if any(access.kind == "self" for access in mutation.accesses) and not mutation.block.is_initializer
    }
    cacheable = {function for function, _ in cacheable_headers(view)}
    names = read_names(view)
    written = [_function(view, one, changed, cacheable, names.get(one, ())) for one in view.functions]
    page = [FunctionFact(page_of(view), 1, calls=call_facts(view, view.top))] if view.is_page else []
    return (*written, *_initializers(view), *page)


def _initializers(view: FileView) -> Iterator[FunctionFact]:
    """The `__init__` that a decorator writes for a class."""
    for owner in view.classes:
        fields = fields_of(owner)
        if fields and not any(one.name == "__init__" for one in view.methods(owner)):
            types = {name: f"{path}()" for name, one in fields.items()
                     if (path := view.annotation_path(one)) and path.partition(".")[0] not in FOREIGN}  # fmt: skip
            line = getattr(owner.node, "lineno", 0)
            yield FunctionFact(f"{owner.symbol}.__init__", line, tuple(fields), types, kind="method")


def _function(
    view: FileView, function: Block, changed: Container[Block], cacheable: Container[Block],
    names: tuple[tuple[str, int], ...],
) -> FunctionFact:  # fmt: skip
    parameters = tuple(one.name for one in function.parameters if one.name != function.receiver)
    is_method = function.class_ is not None
    return FunctionFact(
        function.symbol,
        getattr(function.node, "lineno", 0),
        parameters,
        _types(view, function),
        _returns(view, function),
        call_facts(view, function),
        view.is_cached(function),
        function in changed,
        "function" if not is_method else "method" if function.receiver else "static",
        function.is_async,
        gives_none(function),
        statements(getattr(function.node, "body", [])),
        tuple(one.dotted for one in function.decorators),
        changed_fields(view, function),
        (*read_fields(view, function), *names),
        asks_who(view, function),
        given_back(view, function),
        key_names(view, function),
        keyed_parameters(view, function),
        tagged_stores(view, function),
        function in cacheable,
        memo_of(view, function),
        asks_request(view, function),
        admitted(view, function),
        _spawned(view, function),
        fetched_model(view, function),
        run_before(view, function),
        goes_round(function),
        asked_kinds(view, function),
        stored_under(view, function),
        next((one.name for one in function.parameters if one.kind == "**"), ""),
        collected_by(view, function),
        refusal(function),
        function.is_async and view.suspends(function),
    )


def _types(view: FileView, function: Block) -> dict[str, str]:
    found = {}
    for parameter in function.parameters:
        dependency = view.dependency(parameter)
        annotated = view.annotation_path(parameter.annotation)
        if dependency:
            found[parameter.name] = f"{dependency}()"
        elif annotated and annotated.partition(".")[0] not in FOREIGN:
            found[parameter.name] = f"{annotated}()"
    return found


def _returns(view: FileView, function: Block) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    for statement in function.nodes(ast.Return, ast.Yield):
        if statement.value is not None:
            for access in view.accesses(statement.value, function):
                path = access.path
                if path and path.partition(".")[0] not in FOREIGN:
                    paths[path] = None
    # `request.app.state.desk` leads nowhere that the project knows of.
    known = any(":" not in path for path in paths)
    if not known and isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
        annotated = view.annotation_path(function.node.returns)
        if annotated and annotated.partition(".")[0] not in FOREIGN:
            paths[f"{annotated}()"] = None
    return tuple(paths)[:4]


def class_facts(view: FileView) -> tuple[ClassFact, ...]:
    """Every class of a file, with what its objects hold."""
    attributes: dict[Block, dict[str, dict[str, None]]] = {owner: {} for owner in view.classes}
    made: dict[Block, dict[str, None]] = {owner: {} for owner in view.classes}
    for mutation in (one for one in view.mutations if one.kind == "attribute"):
        for access in mutation.accesses:
            owner = access.block if access.kind == "class" else access.own_class
            if owner is None or access.steps or owner not in attributes:
                continue
            held = attributes[owner].setdefault(mutation.name, {})
            for value in mutation.values:
                for source in view.accesses(value, mutation.block):
                    if source.path and source.path.partition(".")[0] not in FOREIGN:
                        held[source.path] = None
                        if _is_made(source):
                            made[owner][source.path] = None
    for owner in view.classes:
        made[owner].update(dict.fromkeys(_made_on_demand(view, owner)))
        for annotated in owner.nodes(ast.AnnAssign):
            path = view.annotation_path(annotated.annotation)
            if isinstance(annotated.target, ast.Name) and path and path.partition(".")[0] not in FOREIGN:
                attributes[owner].setdefault(annotated.target.id, {})[f"{path}()"] = None
    lines = class_lines(view)
    return tuple(
        ClassFact(
            owner.symbol,
            getattr(owner.node, "lineno", 0),
            view.base_paths(owner),
            {name: tuple(paths)[:4] for name, paths in attributes[owner].items() if paths},
            tuple(made[owner]),
            view.is_frozen(owner),
            tuple(one.dotted for one in owner.decorators),
            lines.get(owner, ()),
            owner_field(view, owner),
            own_containers(view, owner),
        )
        for owner in view.classes
    )


def _made_on_demand(view: FileView, owner: Block) -> Iterator[str]:
    """The paths of what an object of the class makes when it is first asked for it, and keeps."""
    for method in view.methods(owner):
        for returned in method.nodes(ast.Return) if method.has_decorator("cached_property") else ():
            for source in view.accesses(returned.value, method) if returned.value is not None else ():
                if source.path and source.path.partition(".")[0] not in FOREIGN and _is_made(source):
                    yield source.path


def _is_made(source: Access) -> bool:
    """Whether a call gives it, not somebody who has it already."""
    return source.kind in ("global", "class") and source.steps[-1:] == ("()",)


def global_facts(view: FileView) -> tuple[GlobalFact, ...]:
    """The names of the module and of its classes that hold something that may be changed in place."""
    found: dict[str, GlobalFact] = {}
    for block in (view.top, *view.classes):
        for name, bindings in block.scope.bindings.items():
            for binding in bindings:
                if binding.kind != "assignment" or binding.value is None or _describes_field(block, binding.value):
                    continue
                value = _stood_for(binding.value)
                kind = view.value_kind(value) if value is binding.value else "unknown"
                around = binding.scope if binding.node is None else view.module.scope_of(binding.node)
                inside = view.block_of(binding.node) if around is not block.scope else block
                paths = tuple(one.path for one in view.accesses(value, inside) if one.path)
                if kind == "immutable" or (kind == "unknown" and not paths):
                    continue
                symbol = f"{block.symbol}.{name}"
                if symbol in found and found[symbol].kind == "container":
                    continue
                note = f"`{name}` lives as long as the process"
                found[symbol] = GlobalFact(symbol, view.location(binding.node, note),
                                           "alias" if kind == "unknown" else kind, paths,
                                           _elements(view, binding.value, inside), _holds(view, binding))  # fmt: skip
    return tuple(found.values())


def replaced_names(view: FileView) -> tuple[tuple[str, str], ...]:
    """The names of other modules that the file binds anew, `server.request = Local()`, with the path of the value."""
    return tuple(
        (name, path)
        for assign in view.top.nodes(ast.Assign)
        for target in assign.targets
        if isinstance(target, ast.Attribute) and (name := view.dotted(target)) and (path := view.path(assign.value))
    )


def _stood_for(value: ast.expr) -> ast.expr:
    """The value itself; of a proxy, the call that finds in each context what it stands for."""
    match value:
        case ast.Call(
            func=ast.Name(id="LocalProxy") | ast.Attribute(attr="LocalProxy"), args=[ast.Lambda() as made, *_]
        ):
            return made.body
        case ast.Call(func=ast.Name(id="LocalProxy") | ast.Attribute(attr="LocalProxy"), args=[getter, *_]):
            return ast.copy_location(ast.Call(getter, [], []), value)
    return value


def _describes_field(block: Block, value: ast.expr) -> bool:
    """Whether a class body says with it what each object gets: `tags: list = field(default_factory=list)`."""
    name = chain(value.func).rpartition(".")[2] if isinstance(value, ast.Call) else ""
    return block.kind == "class" and name in _FIELDS


def _elements(view: FileView, value: ast.expr, block: Block) -> tuple[str, ...]:
    match value:
        case ast.Dict():
            values: list[ast.expr] = value.values
        case ast.List() | ast.Set():
            values = value.elts
        case _:
            return ()
    named = (one for one in values[:_MANY] if isinstance(one, ast.Call | ast.Name | ast.Attribute))
    return tuple(dict.fromkeys(path for one in named if (path := view.path(one, block))))


def _holds(view: FileView, binding: Binding) -> str:
    """The path of an object of the class that the last part of a container's annotation names."""
    annotated = view.module.parent(binding.node) if binding.node is not None else None
    match annotated.annotation if isinstance(annotated, ast.AnnAssign) else None:
        case ast.Subscript(slice=ast.Tuple(elts=[*_, held]) | held):
            path = view.annotation_path(held)
            return f"{path}()" if path and path.partition(".")[0] not in FOREIGN else ""
    return ""


def context_variables(view: FileView) -> dict[str, str]:
    """The dotted names of the context variables that the module and its classes hold, with the names they were made
    with: `ContextVar("principal")`."""
    return {
        f"{block.symbol}.{name}": _label(binding.value)
        for block in (view.top, *view.classes)
        for name, bindings in block.scope.bindings.items()
        for binding in bindings
        if isinstance(binding.value, ast.Call) and view.dotted(binding.value.func) == "contextvars.ContextVar"
    }


def _label(made: ast.Call) -> str:
    first = made.args[0] if made.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def forked_paths(view: FileView) -> tuple[str, ...]:
    """The paths of the functions that a forked process runs: the target of a `Process`, what follows `os.fork()`."""
    found: dict[str, None] = {}
    for block in view.blocks:
        for call in block.nodes(ast.Call):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name == "Process":
                found.update((view.path(one.value, block), None) for one in call.keywords if one.arg == "target")
            elif name in _POOLED and call.args and _is_forking(view, call.func, block):
                found[view.path(call.args[0], block)] = None
            elif view.dotted(call.func) == "os.fork":
                found.update((one.path, None) for one in call_facts(view, block))
    found.pop("", None)
    if _preloads(view):
        found[PRELOADED] = None
    return tuple(found)


def _is_forking(view: FileView, method: ast.expr, block: Block) -> bool:
    """Whether it is a method of a pool of processes that are forked."""
    path = view.path(method, block)
    own = path.startswith(f"{view.top.symbol}.")
    name, dot, rest = path.removeprefix(f"{view.top.symbol}.").partition(".")
    held = view.module.scope.bindings.get(name, ()) if own else ()
    made = next((one.value.func for one in held if isinstance(one.value, ast.Call)), None)
    if made is not None:  # `pool = get_context("fork").Pool(4)` of the module
        path = f"{view.path(made, view.top)}(){dot}{rest}"
    own = own and ".Pool()." in path and view.imports("multiprocessing")
    pool = method.value if isinstance(method, ast.Attribute) else None
    elsewhere = isinstance(pool, ast.Attribute) and _is_put_as(view, pool.attr)
    return (own or elsewhere or _POOLS.match(path) is not None) and not starts_afresh(view)


def _is_put_as(view: FileView, name: str) -> bool:
    """Whether the file makes a pool of processes the attribute of some object: `server.pool = Pool(4)`."""
    return any(
        _POOLS.match(f"{view.path(statement.value.func, block)}()") is not None
        and not any(one.arg == "initializer" for one in statement.value.keywords)
        for block in view.blocks
        for statement in block.nodes(ast.Assign)
        if isinstance(statement.value, ast.Call)
        and any(isinstance(one, ast.Attribute) and one.attr == name for one in statement.targets)
    )


def starts_afresh(view: FileView) -> bool:
    """Whether the processes that the file makes inherit nothing: `get_context("spawn")`."""
    return any(
        called_name(call) in ("get_context", "set_start_method")
        and any(isinstance(one, ast.Constant) and one.value in ("spawn", "forkserver") for one in call.args)
        for block in view.blocks
        for call in block.nodes(ast.Call)
    )


def _spawned(view: FileView, function: Block) -> str:
    """The parameter that the function runs in a process made for that: `Process(target=work, args=args)`."""
    for call in function.nodes(ast.Call):
        if called_name(call) == "Process":
            for target in (one.value for one in call.keywords if one.arg == "target"):
                access = view.access(target, function)
                if access.kind == "parameter" and not access.steps:
                    return access.name
    return ""


def _preloads(view: FileView) -> bool:
    """Whether it has a server load the application before it forks: `preload_app = True`, `{"preload_app": True}`.

    A hook that closes in each worker what was opened before makes up for it.
    """
    options = dict(_gunicorn_options(view))
    hook = options.get("post_fork")
    named = {"post_fork", hook.id if isinstance(hook, ast.Name) else ""}
    hooks = [one for one in view.functions if one.name in named]
    if any(isinstance(call.func, ast.Attribute) and call.func.attr in ("dispose", "close")
           for hook in hooks for call in hook.nodes(ast.Call)):  # fmt: skip
        return False
    bindings = view.module.scope.bindings.get("preload_app", ())
    values = [one.value for one in bindings] + [options.get("preload_app")]
    return any(isinstance(one, ast.Constant) and one.value is True for one in values)


def _gunicorn_options(view: FileView) -> Iterator[tuple[str, ast.expr]]:
    """What a file that runs gunicorn itself sets: `self.cfg.set("workers", 6)`, and the items of its dictionaries."""
    if not view.imports("gunicorn"):
        return
    for block in view.blocks:
        for node in block.nodes(ast.Call, ast.Dict):
            match node:
                case ast.Call(func=ast.Attribute(attr="set"), args=[ast.Constant(value=str(name)), value]):
                    yield name, value
                case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
                    yield from ((one.arg, one.value) for one in keywords if one.arg)
                case ast.Dict(keys=keys, values=values):
                    for key, value in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant) and isinstance(key.value, str):
                            yield key.value, value
