"""Who is calling, as a function knows it: what a token proves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.admission import sign_in
from carrel.audit.blocks import Block, Parameter
from carrel.audit.chains import chain_names, chain_root
from carrel.audit.depending import listed, signs_in
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_CALLS, REQUEST_OBJECTS
from carrel.audit.origins import leaves
from carrel.audit.persons import is_person, person_in
from carrel.audit.sent import SAID, claimed, is_connection, is_of_grpc, is_request, origins, spine, ways
from carrel.audit.tagged import names_scope
from carrel.audit.taint import is_part_name

__all__ = ["is_said_of_somebody", "known_before", "names_user", "proven", "prover", "proves"]

_USER: Final = re.compile(
    r"(?i)^_?(?:[a-z_]*_)?(?:user|user_?id|userid|uid|username|tenant|tenant_?id|account_?id|customer_?id|owner|"
    r"owner_?id|org_?id|organi[sz]ation_?id|principal|identity|workspace_?id|on_behalf_of|acting_as|email|subject)$"
)
_NOT_USER: Final = re.compile(r"(?i)^(?:is|has|new|target|other|max|min|num|default|system|bot|agent|model|file)_")
_UID: Final = re.compile(r"(?i)^_?(?:[a-z_]*_)?([a-z]+)_uid$")
_PROVIDES: Final = re.compile(r"(?i)^(?:auth|firebase|google|ldap|sso|oauth|x|current|my|login|viewer|author|creator)$")
"""What a user's number may be called by, where `document_uid` is a thing's."""
_AUTH: Final = re.compile(
    r"(?i)user|auth|principal|identity|jwt|api_?key|tenant|claims|signed_in|logged_in|viewer|account|access_token|"
    r"credentials|(?:^|_)me$|member"
)
_KEY: Final = re.compile(r"(?i)api_?key[a-z_]*$")
_CURRENT: Final = re.compile(r"(?i)(?:^|_)(?:current|verified|signed_in|logged_in|authenticated|require)_([a-z_]+)$")
"""A dependency that gives the caller, by whatever word the application has for one."""
_ASKED_OF: Final = re.compile(r"(?i)^_?(?:(?:get|find|load|optional|resolve)_)?([a-z]+)(?:_(?:of|from)(?:_[a-z]+)?)?$")
"""A function that is handed a request and gives who sent it: `shopper_from(request)`."""
_NOT_AUTH: Final = re.compile(r"(?i)service|repo|dao|store|manager|(?:^|_)db|database|optional_session|settings|form|"
                              r"param(?:eter)?s|pagination|filter|query|page|body|schema")  # fmt: skip
_PROVING: Final = re.compile(
    r"(?i)^_?(?:get_|require_|load_|fetch_|extract_|async_)*(?:current|authenticated|request|logged_in)_(?:active_)?"
    r"(?:user|user_id|tenant|tenant_id|principal|identity|account)(?:_.*)?$|^_?verify(?:_(?:token|jwt|user|api_key|"
    r"session|access_token|bearer|credentials))?$|^_?authenticate(?:_.*)?$|^_?decode_(?:token|jwt|access_token)$|^_?identify$"
    r"|^_?require_(?:user|login|auth|account|member|identity|principal|signed_in)$|^get_jwt(?:_identity)?$|^get_access_token$|^_?user_from_(?:token|request|session)$|^get_user$"
    r"|^_?get_(?:scoped|effective|request|caller|jwt)_(?:user|tenant)(?:_id)?(?:_.*)?$"
    r"|^verify_(?:id|oauth2|firebase)_token$|^_?(?:[a-z]+_)*claims(?:_(?:of|from)(?:_\w+)?)?$"
)
_PROVEN_PARTS: Final = frozenset(
    {"user", "user_id", "current_user", "principal", "identity", "tenant", "tenant_id", "access_token", "auth",
     "account", "claims", "username", "uid", "subject", "sub", "jwt", "auth_user", "viewer", "owner",
     "credentials"}
)  # fmt: skip
_SEALED: Final = ("itsdangerous.", "django.core.signing.", "cryptography.fernet.")
_OPENS: Final = frozenset({"loads", "unsign", "unsign_object", "decrypt"})
"""What makes texts that only the server can make, and the methods that give what is in one."""
_TELLS: Final = re.compile(
    r"(?i)^(?:id|pk|uid|uuid|sub|key|identifier|email|claims?|token|session|auth\w*|principal|identity|request|req|g|"
    r"ctx|context|info|state|scope|self|cls|websocket|ws|socket|connection|conn)$"
)
"""What tells somebody from all others, and what goes along with one request."""
_PREFERS: Final = re.compile(r"(?i)lang|locale|zone|currency|theme|preference|setting")
_CARRIERS: Final = frozenset({"request", "req", "g", "websocket", "ws", "socket", "connection", "conn", "info",
                              "context", "ctx", "scope"})  # fmt: skip
"""What goes with one request or connection through the functions that serve it."""


def names_user(name: str) -> bool:
    """Whether a name says who somebody is: `user_id`, `tenant`, `x-on-behalf-of`. A session's name does not."""
    words = name.replace("-", "_")
    if _USER.match(words) is None or _NOT_USER.match(words) is not None:
        return False
    thing = _UID.match(words)
    return thing is None or bool(person_in(thing[1])) or _PROVIDES.match(thing[1]) is not None


def is_said_of_somebody(value: ast.expr) -> bool:
    """Whether every leaf is something that is said of somebody, `user.language`, `task.comment`, not who they are."""
    match value:
        case ast.IfExp(body=body, orelse=orelse):
            return all(isinstance(one, ast.Constant) or is_said_of_somebody(one) for one in (body, orelse))
        case ast.BoolOp(values=values):
            return all(isinstance(one, ast.Constant) or is_said_of_somebody(one) for one in values)
        case ast.Attribute(attr=name, value=ast.Name(id=holder) | ast.Attribute(attr=holder) as inner):
            if names_user(name) or is_person(name) or names_scope(name) or _TELLS.match(name):
                return False
            if names_user(holder):
                return _PREFERS.search(name) is not None  # `user.workspace` is one user's, of a language there are many
            of_user = isinstance(inner, ast.Attribute) and names_user(chain_names(inner.value)[-1])
            return of_user or _TELLS.match(holder) is None
    return False


def proves(view: FileView, leaf: ast.expr, block: Block) -> bool:
    """Whether a single name, attribute, item or call is an identity that the server has checked."""
    match leaf:
        case ast.Name():
            if view.dotted(leaf) in REQUEST_OBJECTS:
                return leaf.id == "current_user" or view.dotted(leaf).endswith("current_user")
            parameter = block.parameter(leaf.id)
            return parameter is not None and _is_proven_parameter(view, parameter)
        case ast.Attribute():
            parts = chain_names(leaf)
            if parts[0] == "request" and is_of_grpc(view, block):
                return False  # the message, as the client has written it
            if isinstance(chain_root(leaf), ast.Name) and proves(view, chain_root(leaf), block):
                return True
            if _is_kept(view, parts[0], parts[1:]):
                return True
            # The `self` of a method around this function is what has registered it, the same for all requests.
            around = block.parent.receiver if block.parent is not None and block.parent.kind == "function" else ""
            held = parts[0] in ("self", "g", "info", "ctx", "context") and parts[0] != around
            return not _PROVEN_PARTS.isdisjoint(parts[1:]) and SAID.isdisjoint(parts) and (
                held or is_request(view, chain_root(leaf), block)
            )  # fmt: skip
        case ast.Subscript():
            return _is_proven_item(view, leaf.value, leaf.slice, block)
        case ast.Call():
            dotted = view.dotted(leaf.func)
            if dotted in REQUEST_CALLS and not dotted.startswith("streamlit"):
                return True
            called = leaf.func.attr if isinstance(leaf.func, ast.Attribute) else getattr(leaf.func, "id", "")
            if (_PROVING.match(called) and not _looks_up(view, leaf, called, block)) or _finds_sender(
                view, leaf, called, block
            ):
                return True
            if _opens_sealed(view, leaf, block) or _gives_proven(view, leaf):
                return True
            return (
                called == "get"
                and isinstance(leaf.func, ast.Attribute)
                and bool(leaf.args)
                and _is_proven_item(view, leaf.func.value, leaf.args[0], block)
            ) or (called == "getattr" and any(_is_state(view, one, block) for one in leaf.args[:1])
                  and isinstance(leaf.args[1] if len(leaf.args) > 1 else None, ast.Constant))  # fmt: skip
    return False


def proven(view: FileView, node: ast.expr, block: Block) -> bool:
    """Whether anything in the expression is an identity that the server has checked."""
    return any(proves(view, leaf, where) for leaf, where in leaves(view, node, block))


def prover(view: FileView, function: Block, *, besides: str = "") -> str:
    """What in the function knows who is calling, `user` or `request.state.user`; empty when nothing does.

    `besides`: a parameter that does not count.
    """
    for parameter in function.parameters:
        if parameter.name != besides and _is_proven_parameter(view, parameter):
            return parameter.name
    if signed := sign_in(view, function) or _signed_by(view, function):
        return signed
    for name in (one.rpartition(".")[2] for one in listed(view, function)):
        if _PROVING.match(name) and "api_key" not in name:
            return name
    for node in function.nodes(ast.Attribute, ast.Subscript):
        if proves(view, node, function):
            return ast.unparse(node)
    for call in function.nodes(ast.Call):
        if proves(view, call, function) and not _is_one_of_many(view, call):
            return ast.unparse(call.func)
    for asked in function.nodes(ast.Compare):
        # `if "patient_id" not in session: abort(401)`
        if isinstance(asked.ops[0], ast.NotIn) and _is_proven_item(view, asked.comparators[0], asked.left, function):
            return ast.unparse(asked.comparators[0])
    return known_before(view) if _is_served(view, function) else ""


def _is_one_of_many(view: FileView, call: ast.Call) -> bool:
    """Whether it is what one command does, `elif name == "get_current_user":`, and not said of the others."""
    for around in view.ancestors(call):
        match around:
            case ast.If(test=ast.Compare(left=ast.Name(), ops=[ast.Eq()], comparators=[ast.Constant(value=str())])):
                return True
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                break
    return False


def _is_served(view: FileView, function: Block) -> bool:
    entry = view.entry_point(function)
    return entry is not None and entry.kind in ("route", "websocket")


def known_before(view: FileView) -> str:
    """What in the file finds out before each request who is calling: `g.claims = decode(…)` of a `before_request`."""
    return view.once(_known_before, view.top, meanwhile="")


def _known_before(view: FileView, top: Block) -> str:  # noqa: ARG001 - `once` works on blocks
    entries = ((one, view.entry_point(one)) for one in view.functions)
    # What gives a dependency is called only for those who ask for it.
    before = (
        one for one, entry in entries if entry and entry.kind == "middleware" and not entry.label.endswith("Provide")
    )
    return next((one.name for one in before if prover(view, one)), "")


def _signed_by(view: FileView, function: Block) -> str:
    """The decorator, a function of the file, that finds out who is calling before the function is called."""
    for decorator in function.decorators:
        wrapper = view.function_named(decorator.dotted)
        if wrapper is not None and view.once(_wraps_knowing, wrapper, meanwhile=False):
            return decorator.name
    return ""


def _wraps_knowing(view: FileView, wrapper: Block) -> bool:
    return any(prover(view, one) for one in view.functions if one.parent is wrapper)


def _is_proven_parameter(view: FileView, parameter: Parameter) -> bool:
    dependency = view.dependency(parameter)
    if dependency is None or _gives_nobody(view, parameter):
        return False
    last = dependency.rpartition(".")[2]
    current = _CURRENT.search(last)
    if (current is not None and person_in(current[1]) == current[1]) or (person_in(last) == last and is_person(last)):
        return True
    if _NOT_AUTH.search(last) or is_part_name(view.annotation_name(parameter.annotation)):
        return False
    giver = view.function_named(dependency)
    if giver is not None and (
        view.once(_returns_proven, giver, meanwhile=False) or any(signs_in(view, one) for one in giver.parameters)
    ):
        return True
    return _AUTH.search(last) is not None or _AUTH.search(parameter.name) is not None


def _gives_nobody(view: FileView, parameter: Parameter) -> bool:
    """Whether what the dependency gives says yes or no, or nothing: it lets in, and tells of nobody who."""
    annotation = parameter.annotation
    name = view.annotation_name(annotation)
    if name == "str" and parameter.name.startswith("_"):  # of a key that all may have, nobody looks whose it is
        return _KEY.search(view.dependency(parameter) or "") is not None
    return name == "bool" or (isinstance(annotation, ast.Constant) and annotation.value is None)


def _finds_sender(view: FileView, call: ast.Call, called: str, block: Block) -> bool:
    """Whether the call gives who sent the request that it is handed: `await student_of(connection.request)`."""
    asked = _ASKED_OF.match(called)
    is_bare = asked is not None and called.lower() == asked[1].lower() and asked[1] not in ("caller", "principal")
    if asked is None or is_bare or not person_in(asked[1]):
        return False
    return called.endswith("_from_token") or any(
        is_request(view, one, block) or is_connection(view, one, block)
        or (isinstance(one, ast.Name) and one.id == "context" and is_of_grpc(view, block))
        or (bool({"headers", "cookies"} & set(chain_names(one))) and is_request(view, chain_root(one), block))
        for value in call.args
        for one in (value, *spine(value))
    )  # fmt: skip


def _looks_up(view: FileView, call: ast.Call, called: str, block: Block) -> bool:
    """Whether it is `get_user(email)` of somebody whom the client names, which says nothing of who that is."""
    said = (claimed(view, one, block) for each in call.args for one in origins(view, each, block))
    return called == "get_user" and any(map(names_user, said))


def _is_proven_item(view: FileView, held: ast.expr, key: ast.expr, block: Block) -> bool:
    """Whether the server has put who is calling under the key: `session["user_id"]`, `request["driver"]`."""
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        return False
    if _is_kept(view, chain_names(held)[0], (key.value,)):
        return True
    named = key.value in _PROVEN_PARTS or (bool(person_in(key.value)) and _is_session(view, held))
    return named and _holds_proven(view, held, block)


def _is_session(view: FileView, held: ast.expr) -> bool:
    """Whether it is the session that the server signs or keeps: what is in it, the server has put there."""
    return (isinstance(held, ast.Attribute) and held.attr == "session") or view.dotted(held) in (
        "flask.session", "quart.session"
    )  # fmt: skip


def _opens_sealed(view: FileView, call: ast.Call, block: Block) -> bool:
    """Whether the call gives what the server has signed: `tickets.loads(ticket)` of a serializer of the file."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _OPENS:
        return False
    held = call.func.value
    found = block.scope.lookup(held.id) if isinstance(held, ast.Name) else None
    made = [one.value for one in found[1]] if found is not None else [held]
    named = (one.func if isinstance(one, ast.Call) else one for one in made)
    dotted = (view.dotted(call.func), *(view.dotted(one) for one in named if one is not None))
    return any(one.startswith(_SEALED) for one in dotted)


def _gives_proven(view: FileView, call: ast.Call) -> bool:
    """Whether it calls a function of the file that gives who is calling: `require("read")`, which asks for a token."""
    called = view.function_named(view.dotted(call.func))
    return called is not None and view.once(_returns_proven, called, meanwhile=False)


def _returns_proven(view: FileView, function: Block) -> bool:
    values = (one.value for one in function.nodes(ast.Return) if one.value is not None)
    return any(_is_proof(view, value, function) for value in values)


def _is_proof(view: FileView, node: ast.expr, block: Block) -> bool:
    """Whether it is an identity that the server has checked or a part of one: `claims_of(request)["sub"]`."""
    waiting, seen = [node], set[ast.expr]()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        for part in ways(view, one, block):
            if part is not one:
                waiting.append(part)
            elif proves(view, one, block):
                return True
            else:
                match one:
                    case (
                        ast.Attribute(value=inner)
                        | ast.Subscript(value=inner)
                        | ast.Call(func=ast.Attribute(attr="get" | "decode", value=inner))
                    ):
                        waiting.append(inner)
    return False


def _is_kept(view: FileView, carrier: str, names: tuple[str, ...]) -> bool:
    """Whether the file puts who is calling under one of the names on what goes with a request: `request.ctx.clinic`."""
    return carrier in _CARRIERS and not kept_names(view).isdisjoint(names)


def kept_names(view: FileView) -> frozenset[str]:
    """The names under which the file puts who is calling on what goes with a request: `clinic` of `g.clinic`."""
    return view.once(_kept_names, view.top, meanwhile=frozenset())


def _kept_names(view: FileView, top: Block) -> frozenset[str]:  # noqa: ARG001 - `once` works on blocks
    found: set[str] = set()
    for function in view.functions:
        for assign in function.nodes(ast.Assign):
            for target in assign.targets:
                for place, value in _pairs(target, assign.value):
                    name = _carried(place)
                    if name and _is_proof(view, value, function):
                        found.add(name)
    return frozenset(found)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What is given what: `request.ctx.user, request.ctx.clinic = claims["sub"], claims["clinic"]` is two."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value


def _carried(place: ast.expr) -> str:
    """The name under which something is put on what goes with a request; empty where it is put elsewhere."""
    match place:
        case ast.Attribute(value=holder, attr=name) | ast.Subscript(value=holder, slice=ast.Constant(value=str(name))):
            return name if chain_names(holder)[0] in _CARRIERS else ""
    return ""


def _holds_proven(view: FileView, node: ast.expr, block: Block) -> bool:
    """Whether the server fills the object: the request itself, its state, a signed session, the ASGI scope."""
    if isinstance(node, ast.Attribute):
        if ast.unparse(node) == "info.context":
            return True
        return node.attr in ("state", "session", "scope", "environ") and (
            is_request(view, chain_root(node), block) or ast.unparse(node) == "self.scope"
        )
    return isinstance(node, ast.Name) and (
        is_request(view, node, block) or view.dotted(node) in ("flask.session", "flask.g", "quart.session")
    )


def _is_state(view: FileView, node: ast.expr, block: Block) -> bool:
    return (
        isinstance(node, ast.Attribute) and node.attr in ("state", "user") and is_request(view, chain_root(node), block)
    )
