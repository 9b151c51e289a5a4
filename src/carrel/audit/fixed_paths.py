"""Paths of files that are the same at every call."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name, parameters_in
from carrel.audit.persons import is_person
from carrel.audit.taint import is_identity_like
from carrel.audit.through import called_here

__all__ = [
    "FixedPath",
    "fixed_path",
    "gives_fixed_path",
    "handed_parts",
    "is_kept_by_name",
    "is_temporary",
    "is_unique",
    "lenders",
    "lent_parts",
    "path_parts",
    "written_into",
]

_IS_THERE: Final = frozenset({"exists", "isfile", "is_file"})
_ROOT: Final = re.compile(r"^/(?:var/)?tmp(?:/|$)|^/dev/shm(?:/|$)")
_UNIQUE_CALLS: Final = re.compile(
    r"^(?:uuid\d?|mkdtemp|mkstemp|mktemp|NamedTemporaryFile|TemporaryDirectory|TemporaryFile|token_\w+|getpid|"
    r"getuid|getuser|time|time_ns|now|utcnow|hexdigest|digest|md5|sha1|sha256|\w*hash\w*|get_ident|randint|random|"
    r"choices|urandom|monotonic|perf_counter|uuid|nanoid|ulid|strftime|generate_\w+|unique_\w+|"
    r"(?:\w+_)?(?:rand|random|rnd|uuid|uid|nonce|token|hex)(?:_\w+)?)$"
)
_UNIQUE_NAMES: Final = re.compile(
    r"(?:^|_)(?:id|uuid|uid|pid|hash|digest|key|nonce|unique|random|rand|timestamp|ts|now|guid|sha|md5|suffix|run|job|"
    r"port|counter|index|i|n)$",
    re.IGNORECASE,
)
_DEPTH: Final = 3
_PUTS_TOGETHER: Final = frozenset({"Path", "PurePath", "join", "joinpath", "str", "fspath", "gettempdir", "getenv",
                                   "resolve", "absolute", "expanduser", "with_suffix", "with_name",
                                   "format"})  # fmt: skip
"""Calls that make a path of what they are handed."""


@dataclass(frozen=True, slots=True)
class FixedPath:
    """A path in which nothing tells one call from another, as far as its file shows."""

    parameters: tuple[ast.Name, ...]
    """Arguments of the function that are part of it."""
    helpers: tuple[ast.Call, ...]
    """Calls that give the rest of it."""


def fixed_path(view: FileView, node: ast.expr, function: Block) -> FixedPath | None:
    """The path, when it starts at a place of the application and has no part of its own for each call."""
    parts = list(path_parts(node, function, data=False))
    if any(is_unique(part) for part in parts):
        return None
    parameters, helpers = [], list[ast.Call]()
    # `"chart.png"`, wherever the process was started
    rooted = isinstance(node, ast.Constant)
    makers = {
        inner for one in parts if isinstance(one, ast.Call) and _is_foreign(view, one) for inner in ast.walk(one.func)
    }
    for part in parts:
        if part in makers:
            continue
        match part:
            case ast.Name() if function.parameter(part.id) is not None:
                if part.id == function.receiver:
                    return None
                parameters.append(part)
            case ast.Name():
                access = view.access(part, function)
                is_global = access.kind == "global" and "()" not in access.steps
                found = function.scope.lookup(part.id)
                # What a loop or a `with` gives is another one each time.
                if not is_global and (found is None or any(one.value is None for one in found[1])):
                    return None
                rooted = rooted or is_global
            case ast.Constant(value=str(text)):
                rooted = rooted or text.startswith("/")
            case ast.Call() if called_name(part) not in _PUTS_TOGETHER and view.dotted(part.func) != "os.environ.get":
                helpers.append(part)
    return FixedPath(tuple(parameters), tuple(helpers)) if rooted or helpers else None


def gives_fixed_path(view: FileView, function: Block) -> bool:
    """Whether the function puts a path together that only its arguments can make another one."""
    return _gives(view, function, _DEPTH)


def _gives(view: FileView, function: Block, depth: int) -> bool:
    lends = function.has_decorator("contextmanager", "asynccontextmanager")
    ends: Iterator[ast.Yield | ast.Return] = function.nodes(ast.Yield) if lends else function.nodes(ast.Return)
    values = [one.value for one in ends if one.value is not None]
    return bool(values) and depth > 0 and all(_is_given(view, value, function, depth) for value in values)


def _is_given(view: FileView, value: ast.expr, function: Block, depth: int) -> bool:
    if isinstance(value, ast.Name):
        made = [one.value for one in function.scope.bindings.get(value.id, ()) if one.kind != "parameter"]
        return len(made) == 1 and made[0] is not None and _is_given(view, made[0], function, depth)
    if isinstance(value, ast.Call) and (helper := called_here(view, value)) is not None:
        handed = (*value.args, *(one.value for one in value.keywords))
        return _gives(view, helper, depth - 1) and not any(
            is_unique(part) for one in handed for part in path_parts(one, function)
        )
    found = fixed_path(view, value, function) if _is_path(view, value) else None
    return found is not None and not found.helpers


def path_parts(node: ast.expr, function: Block, *, data: bool = True) -> Iterator[ast.AST]:
    """Everything that a path is put together from, through locals and constants of the module.

    Without `data`, what a helper is handed besides is left out: the rows of `write("payments", rows_of(user))`.
    """
    stack: list[ast.AST] = [node]
    seen: set[str] = set()
    while stack:
        current = stack.pop()
        yield current
        if isinstance(current, ast.Name) and current.id not in seen:
            seen.add(current.id)
            found = function.scope.lookup(current.id)
            stack += [one.value for one in (found[1] if found else ()) if one.value is not None]
        if not data and isinstance(current, ast.Call) and called_name(current) not in _PUTS_TOGETHER:
            handed = (*current.args, *(one.value for one in current.keywords))
            stack += [current.func, *(one for one in handed if not _is_data(one, function))]
        else:
            stack += ast.iter_child_nodes(current)


def _is_data(node: ast.expr, function: Block) -> bool:
    """Whether an argument is what some other call gives, and that call makes no part of a path."""
    if isinstance(node, ast.Name):
        values = [one.value for one in function.scope.bindings.get(node.id, ())]
        return len(values) == 1 and values[0] is not None and not isinstance(values[0], ast.Name) and _is_data(
            values[0], function
        )  # fmt: skip
    return isinstance(node, ast.Call) and called_name(node) not in _PUTS_TOGETHER and not is_unique(node)


def handed_parts(view: FileView, parts: list[ast.AST], function: Block) -> Iterator[list[ast.AST]]:
    """For each argument that the file hands over for a part of a path, what that is put together from.

    Where the caller is handed it too, it is not known here.
    """
    names = [one.name for one in function.parameters]
    places = {names.index(one.id) for one in parts if isinstance(one, ast.Name) and one.id in names}
    for caller in view.functions if places else ():
        for call in caller.nodes(ast.Call) if caller is not function else ():
            if called_here(view, call) is function:
                for place in places:
                    handed = list(path_parts(call.args[place], caller)) if len(call.args) > place else []
                    if not any(isinstance(one, ast.Name) and caller.parameter(one.id) for one in handed):
                        yield handed


def lent_parts(view: FileView, parts: list[ast.AST], function: Block) -> Iterator[ast.AST]:
    """What a path is put together from that `with scratch(".wav") as path` lends, by a function of the file."""
    for call in lenders(function, {one.id for one in parts if isinstance(one, ast.Name)}):
        lender = called_here(view, call)
        if lender is None:
            continue
        for lent in lender.nodes(ast.Yield):
            made = path_parts(lent.value, lender) if lent.value is not None else ()
            yield from (one for one in made if not (isinstance(one, ast.Name) and lender.parameter(one.id)))
        for handed in (*call.args, *(one.value for one in call.keywords)):
            yield from path_parts(handed, function)


def lenders(function: Block, names: set[str]) -> Iterator[ast.Call]:
    """The calls that lend what has one of the names: `scratch(".wav")` of `with scratch(".wav") as path`."""
    for block in function.nodes(ast.With, ast.AsyncWith) if names else ():
        for item in block.items:
            call, name = item.context_expr, item.optional_vars
            if isinstance(call, ast.Call) and isinstance(name, ast.Name) and name.id in names:
                yield call


def is_temporary(view: FileView, parts: list[ast.AST]) -> bool:
    """Whether the path begins where the machine keeps what is needed for a moment."""
    return any(
        (isinstance(part, ast.Constant) and isinstance(part.value, str) and _ROOT.match(part.value) is not None)
        or (isinstance(part, ast.Call) and view.dotted(part.func) == "tempfile.gettempdir")
        for part in parts
    )


def is_unique(part: ast.AST) -> bool:
    """Whether a part of a path is another one at each call, or for each user."""
    match part:
        case ast.Call(func=ast.Attribute(attr=word)) | ast.Call(func=ast.Name(id=word)):
            return _UNIQUE_CALLS.match(word) is not None
        case ast.Attribute(attr=word) | ast.Name(id=word):
            return is_identity_like(word) or is_person(word) or _UNIQUE_NAMES.search(word) is not None
    return False


def is_kept_by_name(view: FileView, data: list[ast.expr], parts: list[ast.AST], function: Block) -> bool:
    """Whether it is fetched once and then there for all who name it: what is written is made of its name alone.

    `if not os.path.exists(path): open(path, "wb").write(storage.read(language))`
    """
    if not any(called_name(one) in _IS_THERE for one in function.nodes(ast.Call)):
        return False
    used = {name for one in data for name in parameters_in(view, one, function)}
    named = {
        one.id for one in parts
        if isinstance(one, ast.Name) and not isinstance(view.module.parent(one), ast.Attribute | ast.Subscript)
    }  # fmt: skip
    return bool(used) and used <= named


def written_into(view: FileView, opened: ast.Call) -> list[ast.expr]:
    """What is written into a file that `with open(…) as file` opens, also by `csv.writer(file)`."""
    item = view.module.parent(opened)
    item = view.module.parent(item) if isinstance(item, ast.Await) else item
    around = view.module.parent(item) if isinstance(item, ast.withitem) else None
    if not isinstance(item, ast.withitem) or not isinstance(item.optional_vars, ast.Name) or around is None:
        return []
    names = {item.optional_vars.id}
    for assign in (one for one in ast.walk(around) if isinstance(one, ast.Assign)):
        if isinstance(assign.value, ast.Call) and any(_is_named(one, names) for one in assign.value.args):
            names.update(one.id for one in assign.targets if isinstance(one, ast.Name))
    found: list[ast.expr] = []
    for call in (one for one in ast.walk(around) if isinstance(one, ast.Call)):
        root = call.func.value if isinstance(call.func, ast.Attribute) else None
        if any(_is_named(one, names) for one in (root, *call.args)):
            found += [one for one in call.args if not _is_named(one, names)]
    return found


def _is_named(node: ast.expr | None, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _is_foreign(view: FileView, call: ast.Call) -> bool:
    """Whether a function is called, `os.path.join`, and no method of a path that the module holds."""
    dotted = view.dotted(call.func)
    return isinstance(call.func, ast.Name) or (bool(dotted) and not dotted.startswith(f"{view.top.symbol}."))


def _is_path(view: FileView, node: ast.expr) -> bool:
    """Whether it is put together as a path is: with `/`, `Path` or `os.path.join`."""
    match node:
        case ast.BinOp(op=ast.Div()):
            return True
        case ast.Call():
            inner = node.args[0] if called_name(node) == "str" and node.args else None
            return _is_path(view, inner) if inner is not None else called_name(node) in ("Path", "join", "joinpath")
    return False
