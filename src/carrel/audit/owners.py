"""Whose objects are: what a class, a store and the rest of the program say of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.callers import names_user, proven
from carrel.audit.fetches import Fetch
from carrel.audit.file_view import FileView
from carrel.audit.held import text_of
from carrel.audit.origins import called_name
from carrel.audit.persons import person_in
from carrel.audit.rows import asked_tables, tables
from carrel.audit.sent import origins
from carrel.audit.shown import shown_kinds

__all__ = [
    "OWNERS",
    "asked_kinds",
    "is_caller",
    "is_handlers_own",
    "kinds",
    "names_owner",
    "owner_field",
    "parts",
    "unconverted",
]

_MAKES: Final = re.compile(r"^a?_?(?:insert|add|create|open|start|begin|new|register|issue)(?:_\w+)?$")
_HOLDS_ALL: Final = re.compile(
    r"(?i)(?:^|_)(?:session|db|database|conn|connection|cursor|engine|client|redis|cache|pool)$"
)
_SELECTS: Final = re.compile(
    r"^a?_?(?:filter|get|find|list|fetch|load|select|query|where|exclude|all|first|one|count|exists|read|retrieve|"
    r"scalars?|delete|remove|of|for|owned|mine)(?:_\w+)?$"
)
"""Methods that ask for what there is already. Others are told who does something, `enqueue(job, user=user)`."""
_NOUN: Final = re.compile(r"^a?_?[a-z]+_(?!by_)(?P<noun>[a-z0-9_]+?)s?(?:_(?:by|for|of|from|with|in|to)(?:_.*)?)?$")
"""What a method makes or fetches, `site` of `create_site`, `product` of `get_products_by_name`."""
_OF_ID: Final = re.compile(r"^(?P<noun>\w{2,}?)s?_?(?:id|uuid|pk|key|name|slug)$")
_ANY_KIND: Final = frozenset(
    {"one", "many", "all", "item", "record", "row", "object", "entry", "document", "doc", "new"}
)
_PUTS: Final = frozenset({"set", "setex", "put", "hset", "save", "aset", "set_item", "json_set"})
OWNERS: Final = frozenset({"user_id", "owner_id", "owner", "user", "tenant_id", "tenant", "account_id", "created_by",
                    "author_id", "author", "org_id", "organization_id", "customer_id", "workspace_id",
                    "user_email", "username"})  # fmt: skip
"""Attributes that say whose an object is."""
_USERS: Final = re.compile(
    r"(?i)(?:^|[._])(?:auth_?)?users?(?:\.\w+)?$|AUTH_USER_MODEL$|get_user_model\(\)$|accounts?\.id$"
)
_NUMBERS: Final = frozenset({"id", "pk", "uid", "user_id", "sub", "identity", "username"})
_LINKS: Final = frozenset({"ForeignKey", "OneToOneField"})
_NOT_OWNING: Final = re.compile(
    r"(?:^|_)(?:by|editor|reviewer|assignee|approver|moderator)(?:_id)?$|"
    r"(?:^|_)(?:last|modif(?:y|ied|ying)|updat(?:ed?|ing)|chang(?:ed?|ing)|edit(?:ed|ing))_"
)
"""Somebody who did something with the object; the object is not theirs."""


def owner_field(view: FileView, owner: Block) -> str:
    """The attribute that links an object to the user whose it is, and with whom it goes; empty when there is none."""
    if not view.imports("django", "sqlalchemy", "flask_sqlalchemy", "sqlmodel", "tortoise", "peewee"):
        return ""
    for node in owner.nodes(ast.Assign, ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if not isinstance(target, ast.Name) or _NOT_OWNING.search(target.id) or node.value is None:
            continue
        if any(_links_to_user(one) for one in ast.walk(node.value) if isinstance(one, ast.Call)):
            return target.id
    return ""


def _links_to_user(call: ast.Call) -> bool:
    named = {one.arg: one.value for one in call.keywords}
    if "foreign_key" in named:  # of SQLModel
        return _is_user(named["foreign_key"])
    if called_name(call) not in _LINKS:
        return False
    linked = call.args[0] if call.args else named.get("to")
    deleted = named.get("on_delete")
    # Who merely did something is set to null when they go.
    goes = deleted is None or ast.unparse(deleted).endswith("CASCADE")
    return linked is not None and goes and _is_user(linked)


def _is_user(node: ast.expr) -> bool:
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ast.unparse(node)
    return _USERS.search(text) is not None


def kinds(view: FileView, node: ast.expr, function: Block) -> tuple[str, ...]:
    """What an object is one of, by the expression that gives it, as paths: its class, or the function and the store
    that give it where no class is named. A session of a database, which holds objects of all kinds, is no store.
    """
    found: dict[str, None] = {}
    for made in origins(view, node, function):
        one = made.value if isinstance(made, ast.Await) else made
        if isinstance(one, ast.Name) and (parameter := function.parameter(one.id)) is not None:
            found[view.annotation_path(parameter.annotation)] = None
        classes = [name for part in ast.walk(one) if (name := _class_name(view, part))]
        given = one.func if isinstance(one, ast.Call) else one
        store = given.value if isinstance(given, ast.Attribute | ast.Subscript) else given
        if selected := tables(one):
            found.update(dict.fromkeys(selected))
        elif classes:
            found.update(dict.fromkeys(classes))
        elif not isinstance(one, ast.Name) and not _HOLDS_ALL.search(ast.unparse(store).rpartition(".")[2]):
            found[view.path(store, function)] = None
            found[view.path(given, function)] = None
    found.pop("", None)
    return tuple(found)


def _class_name(view: FileView, node: ast.AST) -> str:
    dotted = view.dotted(node) if isinstance(node, ast.Name | ast.Attribute) else ""
    last = dotted.rpartition(".")[2]
    return dotted if last[:1].isupper() and not last.isupper() else ""


def asked_kinds(view: FileView, function: Block) -> tuple[str, ...]:
    """The kinds of objects that the function selects for their owner, or whose owner it compares with a caller; and
    those that it shows to everybody.
    """
    found: dict[str, None] = dict.fromkeys((*asked_tables(view, function), *shown_kinds(view, function)))
    for comparison in function.nodes(ast.Compare):
        sides = (comparison.left, *comparison.comparators)
        for side in sides:
            others = [unconverted(one) for one in sides if one is not side]
            owned = _owned(side) or _compared(side, [one for one in others if _is_whole(view, one, function)])
            if owned is not None and any(is_caller(view, one, function) for one in others):
                found.update(dict.fromkeys(kinds(view, _root(owned, function), function)))
    for call in function.nodes(ast.Call):
        selects = _SELECTS.match(called_name(call)) is not None
        if selects and any(_selects_for(view, one, function) for one in call.keywords):
            found.update(dict.fromkeys(kinds(view, call, function)))  # `Report.query.filter_by(user_id=user.id)`
    return tuple(found)


def _root(node: ast.expr, function: Block) -> ast.expr:
    """The local that an expression goes on from, `order` of `order.basket().owner`; the expression where it is none."""
    root = node
    while isinstance(root, ast.Attribute | ast.Call):
        root = root.value if isinstance(root, ast.Attribute) else root.func
    if isinstance(root, ast.Name) and root.id in function.scope.bindings and function.parameter(root.id) is None:
        return root
    return node


def unconverted(node: ast.expr) -> ast.expr:
    """What is converted for a comparison: `note.owner_id` of `str(note.owner_id)`."""
    return (
        node.args[0] if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1 else node
    )


def _selects_for(view: FileView, keyword: ast.keyword, function: Block) -> bool:
    """Whether a keyword asks for what is the caller's: `user_id=user.id`, `patient__account=request.user`."""
    if _NOT_OWNING.search(keyword.arg or ""):
        return False
    way = (keyword.arg or "").split("__")
    if not OWNERS.isdisjoint(way):
        return is_caller(view, keyword.value, function)
    return any(map(person_in, way)) and proven(view, keyword.value, function)


def _compared(side: ast.expr, whole: list[ast.expr]) -> ast.expr | None:
    """The object of which some attribute is compared with all that tells a user from the others: `parcel.addressee`."""
    match side:
        case ast.Attribute(value=owned) | ast.Subscript(value=owned, slice=ast.Constant()) if whole:
            return owned
    return None


def _is_whole(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether the expression is who is calling, not what else is known of them: `user.id`, not `user.version`."""
    if isinstance(node, ast.Attribute) and node.attr not in _NUMBERS:
        return False
    return isinstance(node, ast.Name | ast.Attribute) and proven(view, node, function)


def _owned(side: ast.expr) -> ast.expr | None:
    """The object whose owner is compared: `note` of `note.owner_id`, of `note["owner"]`."""
    match unconverted(side):
        case ast.Attribute(value=owned, attr=name) if name in OWNERS:
            return owned
        case ast.Subscript(value=owned, slice=ast.Constant(value=name)) if name in OWNERS:
            return owned
    return None


def is_handlers_own(view: FileView, fetch: Fetch, function: Block) -> bool:
    """Whether it is fetched from what hangs on the handler's own object, which was perhaps made for who is calling.

    What the application holds, `self.application.visits`, was not.
    """
    access = view.access(fetch.receiver, function) if fetch.receiver is not None else None
    return access is None or (access.kind == "self" and not access.held_by_application)


def names_owner(view: FileView, fetch: Fetch, block: Block) -> bool:
    """Whether the file stores, in what is fetched from, values that say whose they are under keys that do not."""
    receiver = fetch.receiver
    if receiver is None:
        return False
    access = view.access(receiver, block)
    path = access.path
    # The object that a handler is a method of is no store: what else it makes is of another kind.
    is_own = isinstance(receiver, ast.Name) and receiver.id == block.receiver
    # Of a class there may be objects of which nothing is said.
    of_class = fetch.model is not None and not ast.unparse(fetch.model).rpartition(".")[2].isupper()
    if not is_own and not of_class and _tells_owner(view, receiver, access, fetch):
        return True
    return bool(path) and any(
        (mutation.kind == "item" or mutation.name == "setdefault")
        and any(one.path == path for one in mutation.accesses)
        and any(_tells_whose(view, value, mutation.block) for value in mutation.values)
        and not any(proven(view, key, mutation.block) for key in mutation.keys)
        for mutation in view.mutations
    )


def _tells_owner(view: FileView, receiver: ast.expr, access: Access, fetch: Fetch) -> bool:
    """Whether somebody in the file tells the same store whose a new object is: `sessions.open(user.id, …)`.

    Where objects of many kinds are in one store, only those under the same key count: `f"slip:{number}"`; of a store
    whose methods say what they are about, `create_site`, only those that are about what is fetched.
    """
    text = ast.unparse(receiver)
    key = text_of(fetch.key)
    holds_all = _HOLDS_ALL.search(text.rpartition(".")[2]) is not None
    for function in view.functions:
        for call in function.nodes(ast.Call):
            if not isinstance(call.func, ast.Attribute):
                continue
            method = call.func.attr
            by_key = method in _PUTS and len(call.args) > 1 and not proven(view, call.args[0], function)
            if by_key and text_of(call.args[0]) != key:
                continue
            if not by_key and (holds_all or not _MAKES.match(method) or _is_of_another_kind(method, fetch)):
                continue
            store = call.func.value
            other = view.access(store, function)
            # `request.app["sessions"]` is the same for all handlers, as a local of the same name is not.
            same = access.kind == "parameter" and "app" in access.steps and access.steps == other.steps
            same = same or (
                access.held_by_application != "" and access.held_by_application == other.held_by_application
            )
            if ast.unparse(store) != text or not (same or (access.path and access.path == other.path)):
                continue
            # Who made it is written down, `created_by=user.id`: that makes it nobody's.
            named = (one.value for one in call.keywords if not _NOT_OWNING.search(one.arg or ""))
            handed = [*call.args[1 if by_key else 0 :], *named]
            if any(_tells_whose(view, one, function) for one in handed):
                return True
    return False


def _is_of_another_kind(maker: str, fetch: Fetch) -> bool:
    """Whether what a method makes has another name than what is fetched, and than what the id is of."""
    made = _nouns(_NOUN.match(maker))
    fetched = _nouns(_NOUN.match(fetch.method), _OF_ID.match(fetch.name))
    return bool(made and fetched) and made.isdisjoint(fetched)


def _nouns(*found: re.Match[str] | None) -> set[str]:
    """What is talked about, by the last word, `store` of `bundle_store`: what goes before it is of what kind."""
    return {one["noun"].rpartition("_")[2] for one in found if one is not None} - _ANY_KIND


def _tells_whose(view: FileView, value: ast.expr, function: Block) -> bool:
    """Whether a value that is stored has who is calling in it: `Chat(user)`, `json.dumps(chat)` of a `chat` with it."""
    for part in parts(value):
        made = (one for one in origins(view, part, function) if one is not part) if isinstance(part, ast.Name) else ()
        if is_caller(view, part, function) or any(
            is_caller(view, one, function) for each in made for one in parts(each)
        ):
            return True
    return False


def is_caller(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether the expression stands for who is calling: proven, or by its name."""
    if isinstance(node, ast.Name) and names_user(node.id):
        return True
    if isinstance(node, ast.Attribute) and names_user(node.attr):
        return True
    return (
        proven(view, node, function) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call) else False
    )


def parts(node: ast.expr) -> Iterator[ast.expr]:
    """The expression, or what a display or a call is made of, and the call itself."""
    match node:
        case ast.Tuple() | ast.List():
            for one in node.elts:
                yield from parts(one)
        case ast.Dict():
            for one in node.values:
                yield from parts(one)
        case ast.Call():
            for one in (*node.args, *(each.value for each in node.keywords)):
                yield from parts(one)
            yield node
        case ast.Await():
            yield from parts(node.value)
        case _:
            yield node
