"""An HTTP client that every request uses, and that carries the identity of one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.callers import names_user
from carrel.audit.chains import chain_names
from carrel.audit.conditions import AnyOf, Condition, SharedClass, SharedObject, TaintedParameter
from carrel.audit.file_view import FileView
from carrel.audit.held import held_calls, text_of
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name, leaves, parameters_in
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.through import called_here, through
from carrel.findings import RuleInfo

__all__ = ["SharedClientIdentity"]

_CLIENTS: Final = frozenset(
    {"httpx.Client", "httpx.AsyncClient", "requests.Session", "requests.session", "requests.sessions.Session",
     "aiohttp.ClientSession", "curl_cffi.requests.AsyncSession", "niquests.Session"}
)  # fmt: skip
_PARTS: Final = ("headers", "auth", "cookies", "cookie_jar", "params")
_APPLICATION: Final = re.compile(r"(?:^|\.)(?:app|application)$")
_OF_WORKER: Final = frozenset({"ctx", "context", "state"})
"""What is handed to the start of a worker, and to each of its jobs."""
_START: Final = re.compile(r"(?:^|_)(?:start_?up|setup|start|init|boot)$")
_NAMED: Final = re.compile(r"(?:client|session|http|api|requests|conn|connection)$", re.IGNORECASE)
_SECRET: Final = re.compile(r"(?i)passw|^pin$|secret|^pwd$|passcode|one_time")
_LOGIN: Final = re.compile(r"log-?in|sign-?in|session|cookie|x-user", re.IGNORECASE)


class SharedClientIdentity:
    """`client.headers["Authorization"] = f"Bearer {token}"` on a client of the whole process."""

    info = RuleInfo(
        rule="shared-client-identity",
        code="CAR027",
        severity="error",
        title="A shared HTTP client carries one user's identity",
        why="Headers, cookies and `auth` of a client go with every later call, also with those that are made for "
        "another user, or for nobody.",
        fix="Pass `headers=` with each call; give the shared client no cookie jar (`aiohttp.DummyCookieJar()`).",
        page=rule_page("shared-client-identity"),
        leak_classes=(27,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for mutation in view.mutations:
            part, client = _part(view, mutation)
            if client is None or mutation.removes:
                continue
            given = _shared(view, mutation.block, client)
            taint = view.best_taint(mutation.values, mutation.block)
            if given is None or taint is None or not _is_callers(view, mutation, by=taint.by):
                continue
            message = f"`{mutation.block.name}` puts {taint.reason} into the `{part}` of a client that everybody uses"
            yield view.candidate(self.info, mutation.node, message, block=mutation.block, given=given,
                                 grades=(Grade("error", taint.given),), lower_unreachable=True)  # fmt: skip
        for function in view.functions:
            yield from self._cookies(view, function)
        yield from self._jars(view)

    def _cookies(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`client().cookies.set("sso", sso)`."""
        for call in function.nodes(ast.Call):
            match call.func:
                case (
                    ast.Attribute(attr="set" | "set_cookie", value=ast.Attribute(value=client, attr="cookies"))
                    | ast.Attribute(attr="update_cookies", value=ast.Attribute(value=client, attr="cookie_jar"))
                ):
                    access = view.access(client, function)
                case _:
                    continue
            given = _shared(view, function, access) if _is_client(view, access) else None
            taint = view.best_taint(tuple(call.args), function)
            if given is not None and taint is not None:
                message = f"`{function.name}` puts {taint.reason} into the `cookies` of a client that everybody uses"
                yield view.candidate(self.info, call, message, block=function, given=given,
                                     grades=(Grade("error", taint.given),), lower_unreachable=True)  # fmt: skip

    def _jars(self, view: FileView) -> Iterator[Candidate]:
        """A call that logs one user in, or goes where a user says, on a client that keeps the cookies of all."""
        jars = {held.symbol: held.node for held in held_calls(view, _CLIENTS) if _keeps_cookies(held.call)}
        kept = dict(_kept(view))
        for function in view.functions:
            for call in function.nodes(ast.Call):
                client, shared = jars.get(view.dotted(call.func).rpartition(".")[0]), tuple[Condition, ...]()
                if client is None and kept and isinstance(call.func, ast.Attribute):
                    places = [one for one in _places(view, call.func.value, function) if one in kept]
                    client, shared = kept[places[0]] if places else (None, ())
                if client is None:
                    yield from self._imported_jar(view, call, function)
                    continue
                sure = _logs_in(view, call, function) or _is_led(view, call, function)
                given = () if sure else _signs_in(view, call, function)
                if given is not None:
                    message = f"the cookies that answer `{function.name}` go with the calls for every other user"
                    yield view.candidate(self.info, call, message, block=function, severity="warning",
                                         given=(*shared, *given),
                                         related=(view.location(client, "one cookie jar for all"),))  # fmt: skip

    def _imported_jar(self, view: FileView, call: ast.Call, function: Block) -> Iterator[Candidate]:
        """`portal.post("/login", data={"password": self.password})`, with the `portal` of another module."""
        if called_name(call) != "post" or not _names_login(call):
            return
        access = view.access(call.func, function)
        path = access.path.rpartition(".")[0]
        if access.kind != "global" or access.steps:
            return
        for sent in (one.value for one in call.keywords if one.arg in ("json", "data")):
            given = _brought(view, sent, function)
            if given is not None:
                message = f"the cookies that answer `{function.name}` go with the calls for every other user"
                yield view.candidate(self.info, call, message, block=function, given=(SharedObject(path), *given),
                                     severity="warning")  # fmt: skip


def _keeps_cookies(call: ast.Call) -> bool:
    return not any(one.arg in ("cookies", "cookie_jar") for one in call.keywords)


def _kept(view: FileView) -> Iterator[tuple[str, tuple[ast.AST, tuple[Condition, ...]]]]:
    """The clients that keep cookies and that the file puts on the application, `app[HTTP] = ClientSession()`, on an
    object, or into what the start of a worker leaves to its jobs: by place, where, and what must hold for it to be one
    for all."""
    for mutation, access, place in _placed(view):
        if any(map(_keeps_cookies, _clients(view, mutation.values, mutation.block))):
            owner = access.own_class
            yield place, (mutation.node, (SharedClass(owner.symbol),) if owner is not None else ())


def _placed(view: FileView) -> Iterator[tuple[Mutation, Access, str]]:
    """Where the file puts something in such a place, with the place."""
    for mutation in view.mutations:
        for access in mutation.accesses if mutation.kind in ("item", "attribute") else ():
            if mutation.kind == "item" and mutation.keys:
                place = _place(access.step("[]", mutation.keys[-1]))
            else:
                place = _place(access.step(mutation.name)) if mutation.kind == "attribute" else ""
            if place.startswith("worker.") and not _START.search(mutation.block.name):
                continue
            if place and (access.own_class is None or not access.steps):
                yield mutation, access, place


def _places_of_clients(view: FileView, top: Block) -> frozenset[str]:  # noqa: ARG001 - `once` works on blocks
    """The places into which the file puts clients, whatever they are called there."""
    return frozenset(place for one, _, place in _placed(view) if any(_clients(view, one.values, one.block)))


def _clients(view: FileView, values: tuple[ast.expr, ...], block: Block) -> Iterator[ast.Call]:
    for value in values:
        yield from _made_clients(view, value, block)


def _made_clients(view: FileView, value: ast.expr, block: Block) -> Iterator[ast.Call]:
    """The calls that make a client of which the value is one, also by the name that a `with` gives it."""
    made = [one for one, _ in through(view, value, block)]
    if isinstance(value, ast.Name):
        around = [view.module.parent(one.node) for one in block.scope.bindings.get(value.id, ())]
        made += [one.context_expr for one in around if isinstance(one, ast.withitem)]
    yield from (one for one in made if isinstance(one, ast.Call) and view.dotted(one.func) in _CLIENTS)


def _place(access: Access) -> str:
    """A name for the place of the application, of a worker, or of an object of a class, that the access leads to."""
    if access.held_by_application:
        return f"app.{access.held_by_application}"
    if access.own_class is not None and len(access.steps) == 1:
        return access.path
    if access.kind == "parameter" and access.name in _OF_WORKER and access.steps == ("[]",):
        return f"worker.{ast.unparse(access.keys[0])}"
    on_app = len(access.steps) == 1 and _APPLICATION.search(access.path.rpartition(".")[0].replace(":", "."))
    return f"app.{access.steps[0]}" if on_app else ""


def _places(view: FileView, node: ast.expr, function: Block) -> Iterator[str]:
    """The places that an expression, or the argument that the file hands over for it, stands for."""
    for access in view.accesses(node, function):
        if place := _place(access):
            yield place
        elif access.kind == "parameter" and access.block is function and not access.steps:
            names = [each.name for each in function.parameters]
            for caller in view.functions:
                for call in caller.nodes(ast.Call):
                    at = names.index(access.name)
                    if called_here(view, call) is function and len(call.args) > at and caller is not function:
                        yield from _places(view, call.args[at], caller)


def _signs_in(view: FileView, call: ast.Call, function: Block) -> tuple[Condition, ...] | None:
    """What must hold for the call to sign in with what the function is handed of one user."""
    if called_name(call) != "post" or not _names_login(call):
        return None
    sent = (one.value for one in call.keywords if one.arg in ("json", "data"))
    return next((given for one in sent if (given := _brought(view, one, function)) is not None), None)


def _brought(view: FileView, sent: ast.expr, function: Block) -> tuple[Condition, ...] | None:
    """What must hold for the password to be one user's: a caller hands it to the function, or to its object."""
    if not isinstance(sent, ast.Dict):
        return None
    for key, value in zip(sent.keys, sent.values, strict=True):
        if not isinstance(key, ast.Constant) or not _SECRET.search(str(key.value)):
            continue
        handed = chain_names(value)[0]
        if function.parameter(handed) is not None and handed != function.receiver:
            return (TaintedParameter(function.symbol, handed),)
        owner = function.class_
        if owner is not None and isinstance(value, ast.Attribute) and ast.unparse(value.value) == function.receiver:
            for mutation in view.mutations:
                given = mutation.values[0] if mutation.values else None
                if (
                    mutation.kind == "attribute" and mutation.name == value.attr and mutation.block.class_ is owner
                    and isinstance(given, ast.Name) and mutation.block.parameter(given.id) is not None
                ):  # fmt: skip
                    return (TaintedParameter(mutation.block.symbol, given.id),)
    return None


def _part(view: FileView, mutation: Mutation) -> tuple[str, Access | None]:
    """The part of a client that is changed, and the client."""
    for access in mutation.accesses:
        if mutation.kind == "attribute":
            if mutation.name in _PARTS and _is_client(view, access):
                return mutation.name, access
            continue
        *way, last = access.steps or (access.name.rpartition(".")[2],)
        if last not in _PARTS:
            continue
        client = (
            replace(access, steps=tuple(way)) if access.steps else replace(access, name=access.name.rpartition(".")[0])
        )
        if _is_client(view, client):
            return last, client
    return "", None


def _is_client(view: FileView, access: Access) -> bool:
    """Whether it is called like a client, or the module makes it one: `graph = requests.Session()`."""
    if access.kind == "self" and not access.steps:
        return access.own_class is not None and _NAMED.search(access.own_class.name) is not None
    # `client()` of a function that gives everybody the same one
    steps = [one for one in access.steps if one != "()"]
    last = steps[-1] if steps else access.name.rpartition(".")[2]
    if access.kind == "global" and not access.steps and access.name == f"{view.top.symbol}.{last}":
        made = [one.value for one in view.top.scope.bindings.get(last, ()) if isinstance(one.value, ast.Call)]
        if any(view.dotted(one.func) in _CLIENTS for one in made):
            return True
    giver = view.function_named(access.name) if access.steps == ("()",) else None
    if giver is not None and any(_clients(view, _given_back(giver), giver)):
        return True
    known: frozenset[str] = view.once(_places_of_clients, view.top, meanwhile=frozenset())
    named = access.kind in ("self", "class", "global") and _NAMED.search(last) is not None
    return named or _place(access) in known


def _given_back(function: Block) -> tuple[ast.expr, ...]:
    return tuple(one.value for one in function.nodes(ast.Return) if one.value is not None)


def _shared(view: FileView, function: Block, client: Access) -> tuple[Condition, ...] | None:
    """What must hold for the client to be one for all requests; `None`: it is not."""
    owner = client.block.class_ if client.block is not None else None
    if client.kind == "parameter" and _place(client).startswith("app."):
        return ()
    if client.is_shared_name or owner is None:
        return (SharedObject(client.path),)
    made_for_all = client.steps[:1] and client.steps[0] in owner.scope.bindings and not _assigned(view, owner, client)
    if function.is_initializer:
        return (SharedObject(client.path),) if made_for_all else None
    return (AnyOf((SharedClass(owner.symbol), SharedObject(client.path))),)


def _assigned(view: FileView, owner: Block, client: Access) -> bool:
    return any(
        one.kind == "attribute" and one.name == client.steps[0] and one.block.class_ is owner for one in view.mutations
    )


def _is_callers(view: FileView, mutation: Mutation, *, by: str) -> bool:
    """Whether the caller brings the value, or the object is one user's, `self.principal`; a token that the object got
    for itself is the application's own."""
    receiver = mutation.block.receiver
    return by == "request" or any(
        parameters_in(view, value, mutation.block)
        or any(names_user(chain_names(leaf)[1]) for leaf, where in leaves(view, value, mutation.block)
               if where is mutation.block and isinstance(leaf, ast.Attribute) and chain_names(leaf)[0] == receiver)
        for value in mutation.values
    )  # fmt: skip


def _logs_in(view: FileView, call: ast.Call, function: Block) -> bool:
    """Whether the call is made in one user's name in a way that is answered with a cookie."""
    for keyword in call.keywords:
        if keyword.arg == "cookies" and _is_users(view, keyword.value, function):
            return True
        if keyword.arg == "headers" and isinstance(keyword.value, ast.Dict):
            for key, value in zip(keyword.value.keys, keyword.value.values, strict=True):
                named = isinstance(key, ast.Constant) and _LOGIN.search(str(key.value)) is not None
                if named and _is_users(view, value, function):
                    return True
    sent = [one.value for one in call.keywords if one.arg in ("json", "data", "params")]
    return _names_login(call) and any(_is_users(view, one, function) for one in sent)


def _names_login(call: ast.Call) -> bool:
    written = (one for one in call.args if isinstance(one, ast.Constant | ast.JoinedStr | ast.BinOp))
    return any(_LOGIN.search(text_of(one)) for one in written)


def _is_led(view: FileView, call: ast.Call, function: Block) -> bool:
    """Whether a request brings the address, host and all: the cookies are of hosts that users choose."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name == "build_request":
        return False  # nothing is sent yet
    place = 1 if name in ("request", "stream") else 0
    url = call.args[place] if len(call.args) > place else None
    if isinstance(url, ast.Name):
        made = [one.value for one in function.scope.bindings.get(url.id, ()) if one.value is not None]
        url = made[-1] if made else url
    if isinstance(url, ast.JoinedStr):
        first = url.values[0] if url.values else None
        url = first.value if isinstance(first, ast.FormattedValue) else None
    taint = view.taint(url, function) if isinstance(url, ast.Name | ast.Attribute | ast.Call) else None
    return taint is not None and taint.by == "request"


def _is_users(view: FileView, value: ast.expr, function: Block) -> bool:
    taint = view.taint(value, function)
    return taint is not None and taint.certain and (taint.by == "request" or bool(parameters_in(view, value, function)))
