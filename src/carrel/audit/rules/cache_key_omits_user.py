"""A cache whose key does not say whose answer it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from carrel.audit.access import Access
from carrel.audit.askers import asker
from carrel.audit.blocks import Block
from carrel.audit.chains import chain_names, chain_root
from carrel.audit.conditions import (
    AnyOf,
    Condition,
    HasEntryPoints,
    IdentityParameter,
    Not,
    SharedClass,
    UserDependency,
)
from carrel.audit.data_conditions import KeepsByKey, StoresUnder
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_TYPES
from carrel.audit.held import given_value
from carrel.audit.implied import (
    is_about_one_user,
    is_admission,
    is_checked,
    is_for_nobody,
    is_made_of,
    is_of_somebody,
    is_of_the_same,
    is_sifted_again,
    whole_parameters,
)
from carrel.audit.lookups import MAKES, is_looked_up, is_only_counted, keys_of
from carrel.audit.memos import CACHE_NAME, is_cache
from carrel.audit.mutations import Mutation
from carrel.audit.origins import (
    called_name,
    identities,
    is_credential,
    is_fixed,
    is_request_name,
    leaves,
    parameters_in,
    says_whose,
    telling,
)
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import ReadsIdentity, ReadsRequest
from carrel.audit.sharing import is_setting_name, reached
from carrel.audit.taint import is_identity_like, is_part_name
from carrel.findings import RuleInfo, Severity

__all__ = ["CacheKeyOmitsUser"]

_STORES: Final = MAKES | {"set", "setex", "set_many", "add", "setdefault", "aset", "put", "psetex"}
_SAVES: Final = re.compile(r"(?:^|_)(?:set|put|write|store|save|remember|keep|cache|add|insert)(?:_|$)")
_HASHING: Final = frozenset({"cache_data", "cache_resource", "experimental_memo", "experimental_singleton"})
_BESIDE: Final = re.compile(r"_key$|^(?:namespace|region|group)$")
_MANY: Final = re.compile(
    r"(?i)^(?:req|request|ctx|context|info|state|scope|g|deps?|env|websocket|ws|conn|connection)$"
)
_SECRET: Final = re.compile(r"(?i)(?:api_?key|secret|password|token|credentials?)$")
_SENT: Final = frozenset({"headers", "cookies"})


class CacheKeyOmitsUser:
    """`cache.set(f"answer:{digest}", answer)` where the answer was made from the user's own documents."""

    info = RuleInfo(
        rule="cache-key-omits-user",
        code="CAR008",
        severity="error",
        title="A cache key omits the user",
        why="What is stored depends on the user, the key does not: the next user with the same question is given the "
        "first one's answer.",
        fix="Put the user's id into the key, or cache only what is the same for everybody.",
        page=rule_page("cache-key-omits-user"),
        leak_classes=(8,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            for call in function.nodes(ast.Call):
                yield from self._called(view, call, function)
                yield from self._handed(view, call, function)
                yield from self._wrapped(view, call, function)
            yield from self._left_out(view, function)
        for mutation in view.mutations:
            if mutation.kind == "item" and is_only_counted(view, mutation):
                continue
            if mutation.kind == "item" and _outlives(view, mutation) and is_looked_up(mutation):
                yield from self._kept(view, mutation)
            elif mutation.kind == "item" and mutation.block.class_ is not None and _is_own_memo(view, mutation):
                shared = SharedClass(mutation.block.class_.symbol)
                for one in self._kept(view, mutation, known=not _is_own_cache(mutation)):
                    yield msgspec.structs.replace(one, given=(shared, *one.given))
            elif mutation.kind == "rebind" and mutation.name in mutation.block.scope.globals:
                yield from self._made_once(view, mutation)

    def _kept(self, view: FileView, mutation: Mutation, *, known: bool = False) -> Iterator[Candidate]:
        container = ast.unparse(mutation.target)
        value, block = mutation.values[0], mutation.block
        yield from self._stored(view, mutation.node, mutation.keys, value, block, container, known=known)

    def _called(self, view: FileView, call: ast.Call, function: Block) -> Iterator[Candidate]:
        if not isinstance(call.func, ast.Attribute) or len(call.args) < 2 or call.func.attr not in _STORES:
            return
        if any(_BESIDE.search(one.arg or "") and not is_fixed(view, one.value, function) for one in call.keywords):
            return  # `cache.set(name, value, base_key=place)`: a second part of the key
        keys = keys_of(call, function) if is_cache(view, call.func.value) else ()
        if keys:
            timed = call.func.attr in ("setex", "psetex") and len(call.args) > 2
            value, container = call.args[2 if timed else len(keys)], ast.unparse(call.func.value)
            yield from self._stored(view, call, keys, _made(view, value, function) or value, function, container)

    def _handed(self, view: FileView, call: ast.Call, function: Block) -> Iterator[Candidate]:
        """`memo.once(f"invoices:{year}", lambda: invoices_of(user.id, year))`, where `once` keeps what it is given."""
        made = {index: found for index, one in enumerate(call.args) if (found := _made(view, one, function))}
        makers = list(made)
        path = view.symbol_path(view.access(call.func, function)) if len(makers) == 1 else ""
        for index, key in enumerate(call.args) if path else ():
            if index != makers[0]:
                given = KeepsByKey(path, str(index), str(makers[0]))
                for one in self._stored(view, call, (key,), made[makers[0]], function):
                    yield msgspec.structs.replace(one, given=(given, *one.given))

    def _wrapped(self, view: FileView, call: ast.Call, function: Block) -> Iterator[Candidate]:
        """`await kept.write(key, answer)` after `kept.read(key)`, where `write` puts it into a store under the key."""
        path = view.symbol_path(view.access(call.func, function)) if len(call.args) > 1 else ""
        if not path or _SAVES.search(called_name(call)) is None:
            return
        key = ast.unparse(call.args[0])
        asked = (one for one in function.nodes(ast.Call) if one is not call and one.args)
        if any(ast.unparse(one.args[0]) == key and called_name(one) != called_name(call) for one in asked):
            for one in self._stored(view, call, (call.args[0],), call.args[1], function):
                yield msgspec.structs.replace(one, given=(StoresUnder(path, "0", "1"), *one.given))

    def _left_out(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`@st.cache_data def deals(_viewer, start)`: Streamlit makes no key of names with a leading underscore."""
        if not any(one.dotted.startswith("streamlit.") and one.name in _HASHING for one in function.decorators):
            return
        named = [one.name for one in function.parameters]
        if any(says_whose(name) for name in named if not name.startswith("_")):
            return
        for node in function.nodes(ast.Attribute, ast.Name):
            told = ast.unparse(node)
            root = told.partition(".")[0]
            if root in named and root.startswith("_") and says_whose(told.rpartition(".")[2].strip("_")):
                message = (
                    f"what `{function.name}` gives depends on `{told}`, and Streamlit leaves `{root}` out of the key"
                )
                severity: Severity = "warning" if is_credential(root) else "error"
                yield view.candidate(self.info, node, message, block=function, severity=severity,
                                     related=(view.location(function.node, "cached here"),))  # fmt: skip
                return

    def _stored(
        self, view: FileView, node: ast.AST, keys: tuple[ast.expr, ...], value: ast.expr, function: Block,
        container: str = "", *, known: bool = False,
    ) -> Iterator[Candidate]:  # fmt: skip
        """`known`: of what the value is made with, only that counts which a caller is known to fill with who asks."""
        if any(isinstance(key, ast.Call) and view.dotted(key.func) in ("id", "builtins.id") for key in keys):
            return  # by the address of an object: see `map-keyed-by-id`
        whole = {name for key in keys for name in whole_parameters(view, key, function)}
        inputs = [
            (one, *_handed_to(view, one, where, asked))
            for one, where in telling(view, value, function)
            if (asked := asker(view, one, where)) is not None
            and not is_made_of(view, one, where, whole)
            and not is_of_the_same(view, one, container, function)
            and not _is_its_own(one, container)
            and not is_admission(view, one, keys, function)
        ]
        # What needs no further proof comes first.
        told, given, asked = min(() if known else inputs, key=lambda one: (bool(one[1]), bool(one[2])),
                                 default=(None, (), ()))  # fmt: skip
        if asked:
            asked = (AnyOf(tuple(one for _, _, conditions in inputs for one in conditions)),)
        if told is None:
            told, given = _depended_on(view, value, keys, function, container)
        if told is None or any(_says_whose(view, key, function) for key in keys) or is_about_one_user(view, function):
            return
        if is_of_somebody(view, node, function) or is_for_nobody(view, node, told):
            return
        if is_sifted_again(view, value, ast.unparse(told), node, function):
            return
        if container and is_checked(view, ast.unparse(told), container, function):
            return
        given += tuple(
            Not(ReadsIdentity(path, itself=True))
            for key in keys
            for leaf, where in leaves(view, key, function)
            if isinstance(leaf, ast.Call) and (path := view.symbol_path(view.access(leaf.func, where)))
        )
        message = f"what is stored depends on `{ast.unparse(told)}`, its key `{ast.unparse(keys[-1])}` does not"
        yield view.candidate(self.info, node, message, block=function, given=given,
                             grades=_grades(view, function, asked),
                             related=(view.location(keys[-1], "the key"),))  # fmt: skip

    def _made_once(self, view: FileView, mutation: Mutation) -> Iterator[Candidate]:
        """`if _tools is None: _tools = await discover(token)`: a cache without any key."""
        function = mutation.block
        told = [one for value in mutation.values for one in identities(view, value, function) if not _signs_in(value)]
        if told and _guarded(view, mutation) and _is_given(mutation):
            message = f"`{mutation.name}` is made for `{told[0]}` of the first caller and then given to every caller"
            yield view.candidate(self.info, mutation.node, message, block=function, grades=_grades(view, function))


def _signs_in(made: ast.expr) -> bool:
    """Whether the program itself signs in somewhere: `Database(host=…, user=…, password=…)`."""
    return isinstance(made, ast.Call) and not {"password", "passwd"}.isdisjoint(one.arg for one in made.keywords)


def _grades(view: FileView, function: Block, asked: tuple[Condition, ...] = ()) -> tuple[Grade, ...]:
    """An error where a request gets there; where there is nothing that requests start from, a warning."""
    error = Grade("error", (*asked, *reached(view, function)))
    return error, Grade("warning", (*asked, Not(HasEntryPoints()))), Grade("info")


def _depended_on(
    view: FileView, value: ast.expr, keys: tuple[ast.expr, ...], function: Block, container: str
) -> tuple[ast.expr | None, tuple[Condition, ...]]:
    """The parameters that the value is made with and the key is not: one must be who asks, as a dependency or some
    caller fills it. A key that callers fill with who asks is told apart by them."""
    made_of = [leaf for key in keys for leaf, _ in leaves(view, key, function) if isinstance(leaf, ast.Name)]
    if any(view.access(leaf, function).kind == "cell" for leaf in made_of):
        return None, ()  # what a key of the function around says of the argument, nobody knows
    in_key = {name for key in keys for name in parameters_in(view, key, function)}
    found: dict[str, tuple[ast.expr, Condition]] = {}
    for leaf, where in leaves(view, value, function):
        root = chain_root(leaf)
        parameter = function.parameter(root.id) if isinstance(root, ast.Name) and where is function else None
        if parameter is None or parameter.name in in_key or parameter.name == function.receiver:
            continue
        if is_setting_name(parameter.name) or _is_its_own(root, container):
            continue
        if not is_part_name(view.annotation_name(parameter.annotation)):
            dependency = view.dependency(parameter)
            told = UserDependency(dependency) if dependency else IdentityParameter(function.symbol, parameter.name)
            found[parameter.name] = leaf, told
    if not found:
        return None, ()
    first = next((name for name in found if is_identity_like(name)), next(iter(found)))
    # Many may have one key for the same service.
    names = (one.id for one in keys if isinstance(one, ast.Name) and not _SECRET.search(one.id))
    keyed = (Not(IdentityParameter(function.symbol, one)) for one in names)
    return found[first][0], (AnyOf(tuple(told for _, told in found.values())), *keyed)


def _is_its_own(told: ast.expr, container: str) -> bool:
    """Whether it is the very object that has the cache: `event.cache`. What all of a request is in, is many things."""
    return isinstance(told, ast.Name) and not _MANY.search(told.id) and container.rpartition(".")[0] == told.id


def _made(view: FileView, node: ast.expr, function: Block) -> ast.expr | None:
    """What a callable that is handed over works with: the body of a lambda, all of a `partial`, what a function of its
    own has from the one around it."""
    match node:
        case ast.Lambda(body=body):
            return body
        case ast.Call(func=func) if view.dotted(func) == "functools.partial":
            return node
        case ast.Name(id=name):
            inner = next((one for one in view.functions if one.parent is function and one.name == name), None)
            used = inner.nodes(ast.Name) if inner is not None else ()
            outer = [one for one in used if inner is not None and one.id not in inner.scope.bindings]
            return ast.Tuple(list(outer), ast.Load()) if outer else None
    return None


def _handed_to(
    view: FileView, leaf: ast.expr, function: Block, asked: tuple[Condition, ...]
) -> tuple[tuple[Condition, ...], tuple[Condition, ...]]:
    """Of a request that is handed on as a whole: the function that gets it may ask it for more than its host, and is
    seen to do so. With what must hold for it to be who asks, `asked`."""
    around = view.module.parent(leaf)
    call = view.module.parent(around) if isinstance(around, ast.keyword) else around
    parameter = function.parameter(leaf.id) if isinstance(leaf, ast.Name) else None
    if parameter is None or not isinstance(call, ast.Call) or call.func is leaf:
        return (), asked
    if not is_request_name(parameter.name) and view.annotation_name(parameter.annotation) not in REQUEST_TYPES:
        return (), asked
    path = view.symbol_path(view.access(call.func, function))
    return ((ReadsRequest(path),), (*asked, ReadsRequest(path, shown=True))) if path else ((), asked)


def _says_whose(view: FileView, key: ast.expr, function: Block) -> bool:
    """Whether the key tells users apart: by a name, or by those headers that a setting lists."""
    if identities(view, key, function, lenient=True):
        return True
    return any(
        isinstance(leaf, ast.Subscript) and not isinstance(leaf.slice, ast.Constant)
        and any(isinstance(one, ast.Attribute) and one.attr in _SENT for one, _ in leaves(view, leaf.value, where))
        for leaf, where in leaves(view, key, function)
    )  # fmt: skip


def _outlives(view: FileView, mutation: Mutation) -> bool:
    """Whether it is a map by some key that is there for the next call too."""
    if is_fixed(view, mutation.keys[-1], mutation.block) or view.dotted(mutation.target) == "os.environ":
        return False
    if any(says_whose(one) for one in chain_names(given_value(view, mutation.target))[1:-1]):
        return False  # `current.user.preferences` are those of one user
    return any(
        access.kind in ("global", "class", "cell")
        and not {"()", "[]"} & set(access.steps)
        and not (access.kind == "cell" and access.block is not None and _is_of_one_call(view, access, mutation.block))
        for access in mutation.accesses
    )


def _is_own_memo(view: FileView, mutation: Mutation) -> bool:
    """Whether the object keeps what it has worked out: `self._made[question] = answer`, looked up before."""
    own = any(one.kind == "self" and len(one.steps) == 1 for one in mutation.accesses)
    return own and not is_fixed(view, mutation.keys[-1], mutation.block) and is_looked_up(mutation)


def _is_own_cache(mutation: Mutation) -> bool:
    """Whether the object itself calls it a cache."""
    return any(one.kind == "self" and one.steps and CACHE_NAME.search(one.steps[0]) for one in mutation.accesses)


def _is_of_one_call(view: FileView, access: Access, inner: Block) -> bool:
    """Whether a variable of a function around is the request's own: handed to it, or used by what ends with it."""
    owner = access.block
    assert owner is not None
    if owner.parameter(access.name) is not None:
        return True
    while inner.parent is not owner and inner.parent is not None:
        inner = inner.parent
    around = (block for block in view.functions if block is owner or block.symbol.startswith(f"{owner.symbol}."))
    uses = [one for block in around for one in block.nodes(ast.Name) if one.id == inner.name]
    parents = [view.module.parent(one) for one in uses]
    only_called = all(isinstance(one, ast.Call) and one.func in uses for one in parents)
    return bool(uses) and only_called and not inner.decorators


def _guarded(view: FileView, mutation: Mutation) -> bool:
    for around in view.ancestors(mutation.node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        if isinstance(around, ast.If) and any(
            isinstance(one, ast.Name) and one.id == mutation.name for one in ast.walk(around.test)
        ):
            # `if _owner != user_id` makes it anew for another user.
            return not identities(view, around.test, mutation.block)
    return False


def _is_given(mutation: Mutation) -> bool:
    return any(
        isinstance(one, ast.Name) and one.id == mutation.name
        for statement in mutation.block.nodes(ast.Return) if statement.value is not None
        for one in ast.walk(statement.value)
    )  # fmt: skip
