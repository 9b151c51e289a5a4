"""What an expression is made of, through the locals of its function: users, parameters, names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.chains import chain_names, chain_root
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_OBJECTS, REQUEST_TYPES
from carrel.audit.taint import is_identity_like
from carrel.source import Binding

__all__ = [
    "MADE",
    "called_name",
    "identities",
    "in_session",
    "is_asked",
    "is_credential",
    "is_fixed",
    "is_made",
    "is_request_name",
    "is_shown",
    "leaves",
    "parameters_in",
    "says_which",
    "says_whose",
    "telling",
]

_REQUEST_NAMES: Final = frozenset({"request", "req", "websocket", "ws"})
_SESSIONS: Final = frozenset({"session", "_session", "sessions", "websocket", "_websocket"})
"""More often of a database or an HTTP client than of a user."""
_HEADERS: Final = re.compile(r"(?i)^(?:proxy-)?authorization$|^cookie$|^x-.*(?:user|tenant|token|session|auth|api-key)")
_ASKED: Final = re.compile(
    r"^_?(?:get|require|load|fetch|current|verify|authenticate|extract|decode)_(?:current_|active_|request_|session_)*"
    r"(?:user|user_id|tenant|tenant_id|principal|identity|account|account_id|session_id|token|jwt)$"
    r"|^(?:current_user|verify|authenticate|get_jwt_identity)$"
)
_HEAD: Final = re.compile(
    r"(?:^|_)(?:user|users?id|uid|username|session|tenant|account|customer|principal|owner|identity|email|"
    r"jwt|claims|bearer|cookies?|conversation|chat|thread|org|organi[sz]ation|profile|patient|member|subject|phone|token|"
    r"permissions|login)(?:_?(?:id|name|email|info|data|record|row|obj|object|profile|settings|context|message|"
    r"query|input|prompt|question|text|token|key|role))?$"
)
"""A name whose last words say whose it is: `user_message`, not `user_port`."""
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CREDENTIAL: Final = re.compile(r"(?i)(?:token|credentials?|auth|jwt|bearer|login|cookies?|email)\W*$")
_HANDS_ON: Final = frozenset({"dict", "list", "tuple", "set", "str", "frozenset", "format", "join", "copy", "deepcopy"})
_ONE_THING: Final = re.compile(r"(?:^|_)(?:id|sid|uuid|uid|guid)$|[a-z]Id$")
"""An id of one thing: a map by it is no cache of answers to questions."""
_SHOWN: Final = re.compile(
    r"(?i)(?:^|[_-])(?:lang|language|locale|theme|dark|csrf\w*|next|flash\w*|currency|(?:time)?zone|tz|page|filter|"
    r"sort|step|view|mode|state|count|consent|variant|experiment|seen|dismissed)(?:$|[_-])"
)
"""Keys of a session that say how a page is shown or where somebody is, not who it is."""
_SETTINGS: Final = re.compile(r"^_?(?:app_)?(?:settings|config|configuration|conf|cfg)$")
"""What holds the settings of a process."""
_BESIDE: Final = re.compile(
    r"(?i)trace|span|correlation|request|log|(?:^|_)(?:message|msg|job|event|run|batch|"
    r"worker|process|thread|call|operation|op|invocation|step|order|item|record)_?id$|^_?id$|debug|level|depth|locale|lang|zone|timeout|session|conn|"
    r"transaction|(?:^|_)(?:db|tx|task|path|url|ip|host|agent)(?:$|_)"
)
"""Names that tell one request from another, or how it is served, and not for whom."""
_WHOLE: Final = re.compile(r"(?i)_?(?:current_|the_)?(?:request|req)(?:_?(?:var|ctx|context|scope|state|holder))*$")
"""The request itself, with whoever sent it."""
MADE: Final = re.compile(r"(?i)uuid|token_(?:hex|urlsafe)|next$|count|randint|urandom|get_random|ulid|nanoid|secrets")
"""What calls are named that give something which no client knows beforehand."""
_GROWING: Final = frozenset({"append", "add", "extend", "update", "insert"})


def leaves(view: FileView, node: ast.expr, block: Block, *, direct: bool = False) -> Iterator[tuple[ast.expr, Block]]:
    """The names, attributes and calls that an expression is made of, and those that its locals were made of.

    An attribute comes as a whole (`request.state.user`); what its root was made of follows only when the root is a
    local. Each with the function that it stands in. `direct` leaves out what functions were only asked with: of
    `await load(user)` nobody knows how much of the user is in it.
    """
    stack: list[tuple[ast.AST, Block]] = [(node, block)]
    seen: set[ast.AST] = set()
    while stack:
        current, where = stack.pop()
        match current:
            case ast.Name():
                yield current, where
                stack += _made_of(view, current, where, seen)
            case ast.Attribute():
                yield current, where
                root = chain_root(current)
                if isinstance(root, ast.Name):
                    stack += _made_of(view, root, where, seen)
                else:
                    stack.append((root, where))
            case ast.Call():
                yield current, where
                # The method of an object: the object counts, `hashlib.sha256` does not.
                if isinstance(current.func, ast.Attribute):
                    stack.append((current.func.value, where))
                if not direct or _hands_on(current):
                    stack += [(one, where) for one in (*current.args, *(each.value for each in current.keywords))]
            case ast.Subscript():
                yield current, where
                stack += [(current.value, where), (current.slice, where)]
            case _:
                stack += [(child, where) for child in ast.iter_child_nodes(current)]


def _hands_on(call: ast.Call) -> bool:
    """Whether what the call gives is made of its arguments: an object, a container, a text."""
    name = called_name(call)
    return name in _HANDS_ON or name[:1].isupper()


def called_name(call: ast.Call) -> str:
    """The last part of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _made_of(view: FileView, name: ast.Name, block: Block, seen: set[ast.AST]) -> Iterator[tuple[ast.AST, Block]]:
    owner: Block | None = block.function
    while owner is not None and name.id not in owner.scope.bindings:
        owner = owner.parent.function if owner.parent is not None else None
    if owner is None:
        return
    bound = (
        binding.value if binding.value is not None else _bound_by(view, binding) for binding in view.live(name, owner)
    )
    grown = (
        value
        for mutation in view.mutations_of(owner, name.id)
        if mutation.kind == "item" or mutation.name in _GROWING
        for value in mutation.values
    )
    for source in (*bound, *grown):
        if source is not None and source not in seen:
            seen.add(source)
            yield source, owner


def _bound_by(view: FileView, binding: Binding) -> ast.expr | None:
    """What a loop, a `with` or an assignment to several names (`reply, usage = await ask(user)`) takes from."""
    around = view.module.parent(binding.node)
    while isinstance(around, ast.Tuple | ast.List | ast.Starred):
        around = view.module.parent(around)
    match around:
        case ast.For() | ast.AsyncFor():
            return around.iter
        case ast.withitem():
            return around.context_expr
        case ast.Assign():
            return around.value
    return None


def identities(
    view: FileView, node: ast.expr, block: Block, *, lenient: bool = False, direct: bool = False
) -> tuple[str, ...]:
    """What in the expression tells users apart, as text: `user.id`, `session_id`, `request.headers['authorization']`.

    The request as a whole counts, its path or body does not. `lenient` also takes what may be a session of something
    else, and ids of anything: for keys, where a doubt means that users are kept apart. `direct` as for `leaves`.
    """
    found = telling(view, node, block, lenient=lenient, direct=direct)
    return tuple(dict.fromkeys(ast.unparse(leaf) for leaf, _ in found))


def telling(
    view: FileView, node: ast.expr, block: Block, *, lenient: bool = False, direct: bool = False
) -> Iterator[tuple[ast.expr, Block]]:
    """The leaves that tell users apart, each with the function that it stands in; see `identities`."""
    for leaf, where in leaves(view, node, block, direct=direct):
        if _tells(view, leaf, where, lenient=lenient) and (
            lenient or not (_is_setting(view, leaf, where) or _is_gone_through(view, leaf, where))
        ):
            yield leaf, where


def _tells(view: FileView, leaf: ast.expr, block: Block, *, lenient: bool) -> bool:
    match leaf:
        case ast.Name():
            if _is_request(view, leaf, block):
                return not isinstance(view.module.parent(leaf), ast.Attribute)
            return says_whose(leaf.id, lenient=lenient) and (lenient or _is_users(view, leaf, block))
        case ast.Attribute():
            root = chain_root(leaf)
            parts = chain_names(leaf)
            if (isinstance(root, ast.Name) and root.id[:1].isupper()) or parts[-2] in ("c", "columns"):
                return False  # `Folder.user_id` and `folders.c.user_id` are columns
            if view.dotted(leaf) in REQUEST_OBJECTS and lenient:
                return True
            # `current_user.schema` is of one user, whether somebody has signed in is not.
            if view.dotted(root).endswith(("flask_login.current_user", "quart_auth.current_user")) and not parts[
                -1
            ].startswith("is_"):
                return True
            if any(says_whose(part, lenient=lenient) for part in parts[1:]) and parts[-1] not in ("app", "state"):
                return True
            if not isinstance(root, ast.Name) or _is_request(view, root, block):
                return False
            return says_whose(root.id, lenient=lenient) and (lenient or view.taint(root, block) is not None)
        case ast.Subscript():
            return _is_telling_key(leaf.slice, lenient=lenient)
        case ast.Call():
            called = called_name(leaf)
            if called == "get" and leaf.args:
                return _is_telling_key(leaf.args[0], lenient=lenient)
            return is_asked(leaf)
    return False


def _is_setting(view: FileView, leaf: ast.expr, block: Block) -> bool:
    """Whether it is one of the process's settings: `settings.MAIL_ACCOUNT`, `config.get("account_id")`."""
    held = leaf.func if isinstance(leaf, ast.Call) else leaf.value if isinstance(leaf, ast.Subscript) else leaf
    root = chain_root(held)
    if root is leaf or not isinstance(root, ast.Name) or _is_request(view, root, block):
        return False
    if block.parameter(root.id) is not None:
        return False
    named = isinstance(leaf, ast.Attribute) and leaf.attr.isupper() and leaf.attr != "COOKIES"
    if isinstance(leaf, ast.Subscript) and isinstance(leaf.slice, ast.Constant):
        named = str(leaf.slice.value).isupper()  # `app.config["TRACKER_USER"]`
    return named or _SETTINGS.search(root.id) is not None


def is_shown(node: ast.expr) -> bool:
    """Whether it is an entry that says how a page is shown, by its key: `request.cookies.get("lang")`."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return _SHOWN.search(key) is not None
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(key)), *_]):
            return _SHOWN.search(key) is not None
    return False


def in_session(view: FileView, node: ast.expr, block: Block) -> bool:
    """Whether the expression holds what the session or a cookie of a request keeps for its user, whatever its name.

    How the page is shown, `session["theme"]`, is none of it.
    """
    for leaf, where in leaves(view, node, block):
        match leaf:
            case (
                ast.Subscript(value=held, slice=key)
                | ast.Call(func=ast.Attribute(attr="get", value=held), args=[key, *_])
            ):
                said = key.value if isinstance(key, ast.Constant) else None
                if isinstance(said, str) and not _SHOWN.search(said) and _is_session(view, held, where):
                    return True
    return False


def _is_session(view: FileView, node: ast.expr, block: Block) -> bool:
    kept = isinstance(node, ast.Attribute) and node.attr in ("session", "cookies", "COOKIES")
    if kept and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return _is_request(view, node.value, block)
    return view.dotted(node) in ("flask.session", "quart.session")


def _is_users(view: FileView, name: ast.Name, block: Block) -> bool:
    """Whether more than the name says that it is one user's: `token = sizes.reshape(n)` is made of plain arguments."""
    taint = view.taint(name, block)
    return taint is not None and taint.by != "parameter"


def _is_gone_through(view: FileView, leaf: ast.expr, block: Block) -> bool:
    """Whether it is, or is said of, whom a loop goes through: `user` of `for user in self.people` is anybody.

    What the function is handed to go through, `for message in messages`, may be one user's.
    """
    root = chain_root(leaf)
    if isinstance(root, ast.Call) and isinstance(root.func, ast.Attribute):
        root = chain_root(root.func)  # `user.get("email")`
    bindings = block.scope.bindings.get(root.id, ()) if isinstance(root, ast.Name) else ()
    if not bindings or any(one.kind != "loop" for one in bindings):
        return False
    loops = [next(view.ancestors(one.node), None) for one in bindings]
    loops = [next(view.ancestors(one), None) if isinstance(one, ast.Tuple) else one for one in loops]
    held = [one.iter for one in loops if isinstance(one, ast.For | ast.AsyncFor | ast.comprehension)]
    return not any(parameters_in(view, one, block) for one in held)


def says_whose(name: str, *, lenient: bool = False) -> bool:
    """Whether a name says by its last words that its value belongs to one user; `lenient` as for `identities`."""
    if lenient and _ONE_THING.search(name):
        return True
    if name in _REQUEST_NAMES or not is_identity_like(name):
        return False
    if lenient:
        return True
    return name not in _SESSIONS and _HEAD.search(_CAMEL.sub("_", name).lower()) is not None


def says_which(name: str) -> bool:
    """Whether a name says which request its value is about, or how it is served, and not for whom: `correlation_id`."""
    return _BESIDE.search(name) is not None and not says_whose(name) and _WHOLE.match(name) is None


def _is_telling_key(node: ast.expr, *, lenient: bool) -> bool:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    # `config.get("mail.auth_token")` is a setting.
    named = node.value.isidentifier() and says_whose(node.value, lenient=lenient)
    return named or _HEADERS.match(node.value) is not None


def is_request_name(name: str) -> bool:
    """Whether a parameter of this name is the request itself, without an annotation."""
    return name in _REQUEST_NAMES


def _is_request(view: FileView, name: ast.Name, block: Block) -> bool:
    function = block.function
    while function is not None:
        parameter = function.parameter(name.id)
        if parameter is not None:
            return name.id in _REQUEST_NAMES or view.annotation_name(parameter.annotation) in REQUEST_TYPES
        function = function.parent.function if function.parent is not None else None
    return view.dotted(name) in REQUEST_OBJECTS


def parameters_in(view: FileView, node: ast.expr, block: Block) -> tuple[str, ...]:
    """The parameters of the function `block` that the expression is made of, the receiver excluded."""
    found: dict[str, None] = {}
    for leaf, where in leaves(view, node, block):
        root = chain_root(leaf)
        if where is block and isinstance(root, ast.Name) and root.id != block.receiver and block.parameter(root.id):
            found[root.id] = None
    return tuple(found)


def is_credential(told: str) -> bool:
    """Whether a text of `identities` names what somebody signs in with: it may be the application's own."""
    return _CREDENTIAL.search(told) is not None


def is_asked(call: ast.Call) -> bool:
    """Whether the call finds out who is asking: `verify(header)`, `get_current_user()`."""
    return _ASKED.match(called_name(call)) is not None


def is_made(node: ast.expr) -> bool:
    """Whether it is an id that the server makes, `uuid4().hex`."""
    made = node.value if isinstance(node, ast.Attribute) else node
    return isinstance(made, ast.Call) and MADE.search(ast.unparse(made.func)) is not None


def is_fixed(view: FileView, key: ast.expr, block: Block) -> bool:
    """Whether a key is the same at every call: a constant, or a constant of the module."""
    match key:
        case ast.Constant():
            return True
        case ast.UnaryOp():
            return is_fixed(view, key.operand, block)
        case ast.Slice():
            return all(part is None or is_fixed(view, part, block) for part in (key.lower, key.upper, key.step))
        case ast.Tuple():
            return all(is_fixed(view, element, block) for element in key.elts)
        case ast.Name() | ast.Attribute():
            return view.access(key, block).kind in ("global", "class") and ast.unparse(key).rpartition(".")[2].isupper()
    return False
