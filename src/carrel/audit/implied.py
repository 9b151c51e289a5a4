"""What a cache's key need not say, because it is the same for all who are given what is under the key."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.chains import chain_names
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_TYPES
from carrel.audit.origins import (
    called_name,
    identities,
    is_asked,
    is_credential,
    is_request_name,
    leaves,
    parameters_in,
)

__all__ = [
    "is_about_one_user",
    "is_admission",
    "is_checked",
    "is_for_nobody",
    "is_made_of",
    "is_of_somebody",
    "is_of_the_same",
    "is_sifted_again",
    "whole_parameters",
]

_SIFTS: Final = re.compile(
    r"(?i)^_?(?:visible|allowed|accessible|permitted|readable|viewable|restrict|only_|for_user|can_)"
)
"""Methods that leave of many those that somebody may see."""
_SESSION: Final = re.compile(r"Session(?:Store|Base|Backend|Interface)$")


def whole_parameters(view: FileView, key: ast.expr, function: Block) -> Iterator[str]:
    """The parameters that the key is made of as they are, `key_of(config)`; a part of one, `body.text`, is not it.

    A key that the object itself makes, `self.key()`, is made of the object.
    """
    for leaf, where in leaves(view, key, function):
        if isinstance(leaf, ast.Attribute) and _is_key_of_object(view, leaf, function):
            yield function.receiver
        if not isinstance(leaf, ast.Name) or where is not function:
            continue
        around = view.module.parent(leaf)
        is_part = isinstance(around, ast.Attribute | ast.Subscript) and around.value is leaf
        if leaf.id == function.receiver:
            called = view.module.parent(around) if around is not None else None
            if leaf.id and isinstance(called, ast.Call) and called.func is around:
                yield leaf.id
            continue
        parameter = None if is_part or is_request_name(leaf.id) else function.parameter(leaf.id)
        if parameter is not None and view.annotation_name(parameter.annotation) not in REQUEST_TYPES:
            yield leaf.id


def _is_key_of_object(view: FileView, leaf: ast.Attribute, function: Block) -> bool:
    """Whether it is what the object was made with: `self.key = f"{url}:{client}"` of `__init__(self, url, client)`."""
    if function.class_ is None or not function.receiver or chain_names(leaf) != (function.receiver, leaf.attr):
        return False
    stores = [one for one in view.mutations if one.name == leaf.attr and one.block.class_ is function.class_]
    return bool(stores) and all(
        one.kind == "attribute"
        and one.block.is_initializer
        and any(parameters_in(view, value, one.block) for value in one.values)
        for one in stores
    )


def is_made_of(view: FileView, leaf: ast.expr, function: Block, whole: set[str]) -> bool:
    """Whether it is a local worked out from nothing but what the key was made of: a result, no second question.

    So is a token that the application itself got for nobody: `answer = requests.post(SIGN_IN).json()`.
    """
    root: ast.expr = leaf
    if isinstance(leaf, ast.Call) and isinstance(leaf.func, ast.Attribute) and leaf.func.attr == "get":
        root = leaf.func.value
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    if not isinstance(root, ast.Name) or function.parameter(root.id) is not None:
        return False
    used = set(parameters_in(view, root, function))
    made = [one for one, _ in leaves(view, root, function)]
    used |= {one.id for one in made if isinstance(one, ast.Name) and one.id == function.receiver}
    if any(isinstance(one, ast.Call) and is_asked(one) and not one.args for one in made):
        return False
    if not used:
        return is_credential(ast.unparse(leaf)) and view.taint(root, function) is None
    return used <= whole


def is_of_somebody(view: FileView, store: ast.AST, function: Block) -> bool:
    """Whether the cache was got for the one whose it is: `store = get_store(tenant_id)` and then `store.set(…)`."""
    cache = store.func.value if isinstance(store, ast.Call) and isinstance(store.func, ast.Attribute) else None
    bound = function.scope.bindings.get(cache.id, ()) if isinstance(cache, ast.Name) else ()
    made = [one.value for one in bound if isinstance(one.value, ast.Call)]
    return any(
        identities(view, one, function)
        for call in made
        for one in (*call.args, *(each.value for each in call.keywords))
    )


def is_of_the_same(view: FileView, leaf: ast.expr, container: str, function: Block) -> bool:
    """Whether the object that holds the cache was made with it, and so has one cache for each: `self.token`."""
    if not container.startswith(f"{function.receiver}."):
        return False
    if not isinstance(leaf, ast.Attribute) or chain_names(leaf)[0] != function.receiver:
        return False
    name = chain_names(leaf)[1]
    return not any(
        mutation.kind == "attribute" and mutation.name == name and not mutation.block.is_initializer
        for mutation in view.mutations
        if mutation.block.class_ is function.class_
    )


def is_for_nobody(view: FileView, store: ast.AST, told: ast.expr) -> bool:
    """Whether it is only stored where nobody was named: `if user_id is None: cache[key] = answer`."""
    child = store
    for around in view.ancestors(store):
        if isinstance(around, ast.If) and child in around.body:
            tests = around.test.values if isinstance(around.test, ast.BoolOp) else [around.test]
            every = not isinstance(around.test, ast.BoolOp) or isinstance(around.test.op, ast.And)
            if every and any(_says_none(one, ast.unparse(told)) for one in tests):
                return True
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            break
        child = around
    return False


def _says_none(test: ast.expr, name: str) -> bool:
    match test:
        case ast.Compare(left=left, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return ast.unparse(left) == name
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ast.unparse(operand) == name
    return False


def is_admission(view: FileView, leaf: ast.expr, keys: tuple[ast.expr, ...], function: Block) -> bool:
    """Whether it only decides if the caller gets to what the key names, and each caller is asked:
    `get_object_or_404(Project.objects.visible_for(request.user), slug=slug)` with a key made of `slug`."""
    named = {ast.unparse(one) for key in keys for one, _ in leaves(view, key, function)}
    for around in view.ancestors(leaf):
        if isinstance(around, ast.Call) and called_name(around).endswith("_or_404"):
            return any(ast.unparse(one.value) in named for one in around.keywords)
        if isinstance(around, ast.stmt):
            break
    return False


def is_checked(view: FileView, told: str, container: str, function: Block) -> bool:
    """Whether what is found is compared with who asks before it is given: `if kept[0] == (self.host, self.token)`."""
    for comparison in function.nodes(ast.Compare):
        sides = [
            {ast.unparse(leaf) for leaf, _ in leaves(view, side, function)}
            for side in (comparison.left, *comparison.comparators)
        ]
        found = [any(one.startswith(container) for one in side) for side in sides]
        asked = [told in side for side in sides]
        equal = isinstance(comparison.ops[0], ast.Eq | ast.NotEq)
        if equal and ((found[0] and asked[1]) or (found[1] and asked[0])):
            return True
    return False


def is_sifted_again(view: FileView, value: ast.expr, told: str, store: ast.AST, function: Block) -> bool:
    """Whether what is found is gone through for who asks before it is given: `filter(id__in=kept).visible_to(user)`."""
    if not isinstance(value, ast.Name):
        return False
    guard = next((one for one in view.ancestors(store) if isinstance(one, ast.If)), None)
    inside = set(ast.walk(guard)) if guard is not None else set()
    uses = [
        one for one in function.nodes(ast.Name)
        if one.id == value.id and isinstance(one.ctx, ast.Load) and one not in inside
    ]  # fmt: skip
    statements = [next(each for each in view.ancestors(one) if isinstance(each, ast.stmt)) for one in uses]
    return bool(statements) and all(_sifts(statement, told) for statement in statements)


def _sifts(statement: ast.stmt, told: str) -> bool:
    calls = (one for one in ast.walk(statement) if isinstance(one, ast.Call) and _SIFTS.match(called_name(one)))
    return any(told in map(ast.unparse, (*call.args, *(one.value for one in call.keywords))) for call in calls)


def is_about_one_user(view: FileView, function: Block) -> bool:
    """Whether its object is one session, kept under the session's key, or only callers without a sign-in get there."""
    owner = function.class_
    if owner is not None and any(_SESSION.search(name) for name in (owner.name, *view.base_names(owner))):
        return True
    calls = [one for each in view.functions for one in each.nodes(ast.Call) if view.dotted(one.func) == function.symbol]
    return bool(calls) and all(_is_for_anonymous(view, call) for call in calls)


def _is_for_anonymous(view: FileView, call: ast.Call) -> bool:
    child: ast.AST = call
    for around in view.ancestors(call):
        if isinstance(around, ast.If) and child is not around.test:
            test = ast.unparse(around.test)
            if test.endswith(".is_authenticated") and test.startswith("not ") == (child in around.body):
                return True
        child = around
    return False
