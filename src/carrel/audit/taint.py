"""Whether an expression holds data of one user, and how that is known."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from carrel.audit.blocks import Block, Parameter
from carrel.audit.conditions import Condition, TaintedParameter
from carrel.audit.frameworks import REQUEST_CALLS, REQUEST_METHODS, REQUEST_OBJECTS, REQUEST_TYPES

if TYPE_CHECKING:
    from carrel.audit.file_view import FileView

__all__ = ["OF_HANDLER", "Taint", "TaintReader", "is_identity_like", "is_part_name"]

_DEPTH: Final = 40

_IDENTITY: Final = re.compile(
    r"(?:^|_)(?:user|users?id|uid|userid|username|session|sessionid|tenant|tenantid|permissions?|thread|threadid|token|"
    r"account|customer|principal|owner|identity|email|login|credentials?|auth|jwt|claims|bearer|cookies?|"
    r"conversation|chat|request|websocket|org|organi[sz]ation|profile|patient|client_id|member|subject|phone)"
    r"(?:$|_|id$|s$)"
)
_NOT_IDENTITY: Final = re.compile(
    r"^(?:is|has|use|max|min|num|n|default|enable|allow|require|total|with|show|new|make|get|set|create|on|per)_"
    r"|_(?:count|limit|class|cls|model|type|factory|service|repository|repo|manager|store|schema|url|uri|path|ttl|"
    r"timeout|maker|backend|provider|handler|router|interval|size|agent|prefix|suffix|column|table|field|template|"
    r"format|version|enabled|required|pool|lock|registry|adapter|storage|middleware|module|endpoint|file|dir|regex|"
    r"pattern|scheme|mode|logger|limiter|sessionmaker|cache|map|engine|local|callback|hook|fn|func|callable|getter|"
    r"loader|validator|parser|encoder|decoder|generator|builder|counter|metrics|stats|gauge|histogram|lifetime|"
    r"duration|expiry)$|(?:^|_)(?:db|database|sql|orm|scoped|async|http|aiohttp|boto3?|spark|inference)_session$"
    r"|(?:^|_)to_thread$|^(?:tokens|max_tokens|user_agent|threads|"
    r"request_method|requests|auth|chat|request_class|session_factory|next_token|token_ids?|"
    r"request_timeout)$|(?:^|_)(?:owner|lock|cancel|cancellation|sync|page|continuation|cursor|stop|eos|pad)_tokens?$"
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# Sessions of a database or of an HTTP client, threads of the machine: not a user's.
_OTHER_TYPES: Final = frozenset(
    {"AsyncSession", "Session", "ClientSession", "scoped_session", "sessionmaker", "Thread", "Connection", "Engine",
     "bool", "Lock", "Logger", "Callable", "type", "Type", "Path", "InferenceSession", "Token", "TokenType"}
)  # fmt: skip

# Parts of the application that a framework hands to a handler along with the request's own data.
_PARTS: Final = re.compile(
    r"(?:Service|Repository|Repo|Manager|Client|Engine|Dep|Db|DB|Database|Pool|Settings|Config|BackgroundTasks|"
    r"Response|App|FastAPI|Session|SessionDep|Factory|Registry|Store|Provider|Agent|Bus|Broker|Cache|Logger|Redis)$"
)

_IDENTITY_CALL: Final = re.compile(
    r"^(?:get_|require_|load_|fetch_|extract_|verify_|decode_|parse_|authenticate)?_?"
    r"(?:current_|authenticated_|request_|active_|logged_in_|session_)*"
    r"(?:user|user_id|session_id|principal|identity|tenant|tenant_id|token|jwt|claims|account|auth|credentials)$"
)

_HANDLERS: Final = re.compile(r"(?:Handler|View|ViewSet|Consumer|Endpoint)$")
OF_HANDLER: Final = frozenset({"request", "current_user", "scope"})
"""Attributes of the objects that a framework makes for each request."""

_FILLED: Final = frozenset(f"fastapi.{one}" for one in ("Header", "Cookie", "Query", "Path", "Body", "Form", "File"))
"""Marks of parameters that a framework fills with what the request says, also of a dependency."""

_CONNECTIONS: Final = frozenset({"aiohttp.web.WebSocketResponse", "aiohttp.web_ws.WebSocketResponse"})

# What these give tells nothing about what they were given.
_NEUTRAL_CALLS: Final = frozenset(
    {"builtins.len", "builtins.isinstance", "builtins.bool", "builtins.type", "builtins.hasattr", "builtins.issubclass",
     "builtins.any", "builtins.all", "builtins.callable", "builtins.print", "time.time", "logging.getLogger"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taint:
    """Why an expression holds data of one user."""

    by: Literal["request", "name", "parameter"]
    """`request`: a framework's request object or a parameter of an entry point. `name`: a name such as `user_id`.
    `parameter`: a parameter with no such name; whether a caller passes one user's data is in `given`."""
    reason: str
    """For a sentence: "the parameter `user_id`"."""
    given: tuple[Condition, ...] = ()
    parameter: str = ""
    """By `name` and `parameter`, the parameter of the function, when it is one."""

    @property
    def certain(self) -> bool:
        """Whether this file alone shows it."""
        return not self.given


def is_identity_like(name: str) -> bool:
    """Whether a name says that its value belongs to one user: `user_id`, `session`, `tenant`, `thread_id`."""
    words = _CAMEL.sub("_", name).lower().lstrip("_")
    return _IDENTITY.search(words) is not None and _NOT_IDENTITY.search(words) is None


def is_part_name(name: str) -> bool:
    """Whether a type's name says that its objects are parts of the application: `DeskService`, `Settings`."""
    return _PARTS.search(name) is not None


def _better(one: Taint | None, other: Taint | None) -> Taint | None:
    if one is None or other is None:
        return one or other
    order = ("request", "name", "parameter")
    return one if order.index(one.by) <= order.index(other.by) else other


class TaintReader:
    """Follows data of one user through the locals of each function."""

    def __init__(self, view: FileView) -> None:
        self._view = view
        self._locals: dict[Block, dict[str, Taint]] = {}

    def read(self, node: ast.expr, block: Block) -> Taint | None:
        """Why the expression holds data of one user; `None` when nothing says so."""
        function = block.function or (self._view.top if self._view.is_page else None)
        return self._read(node, function, self._of(function) if function else {}, _DEPTH)

    def parameter(self, function: Block, parameter: Parameter) -> Taint | None:
        """Why the parameter itself holds data of one user."""
        name = parameter.name
        # Of a descriptor, `owner` is the class.
        if name == function.receiver or (name == "owner" and function.name in ("__get__", "__set_name__")):
            return None
        annotation = self._view.annotation_name(parameter.annotation)
        if annotation in REQUEST_TYPES:
            return Taint("request", f"the request `{name}`")
        dependency = self._view.dependency(parameter)
        if annotation in _OTHER_TYPES:
            return None
        if dependency is None and self._view.marker(parameter) in _FILLED:
            return Taint("request", f"the request's `{name}`")
        if dependency is not None:
            last = dependency.rpartition(".")[2]
            if is_identity_like(name) or _IDENTITY_CALL.match(last):
                return Taint("request", f"the dependency `{name}`")
            if is_part_name(annotation):
                return None
            # Whether it is told who asks, only the dependency knows.
            return Taint("parameter", f"the dependency `{name}`", (TaintedParameter(function.symbol, name),), name)
        if self._view.entry_point(function) is not None and parameter.kind != "*":
            if is_part_name(annotation):
                return None
            return Taint("request", f"the request's `{name}`")
        # `initialize_session=True` is a flag.
        is_flag = isinstance(parameter.default, ast.Constant) and isinstance(parameter.default.value, bool)
        if is_identity_like(name) and not is_flag:
            return Taint("name", f"the parameter `{name}`", parameter=name)
        if annotation and is_identity_like(annotation) and not annotation.startswith("Chat"):
            return Taint("name", f"the parameter `{name}: {annotation}`", parameter=name)
        return Taint("parameter", f"the parameter `{name}`", (TaintedParameter(function.symbol, name),), name)

    def _of(self, function: Block) -> dict[str, Taint]:
        found = self._locals.get(function)
        if found is not None:
            return found
        found = self._locals[function] = {}
        for parameter in function.parameters:
            taint = self.parameter(function, parameter)
            if taint is not None:
                found[parameter.name] = taint
        for loop in function.nodes(ast.AsyncFor):
            if isinstance(loop.iter, ast.Name) and self._is_connection(loop.iter, function):
                received = Taint("request", f"what `{loop.iter.id}` receives")
                found |= dict.fromkeys(_names(loop.target), received)
        bindings = list(_assigned(function))
        # Twice, so that what a loop hands to its next round is seen.
        for _ in range(2):
            for target, value in bindings:
                taint = self._read(value, function, found, _DEPTH)
                if taint is not None:
                    for name in _names(target):
                        better = _better(found.get(name), taint)
                        if better is not None:
                            found[name] = better
        return found

    def _is_connection(self, node: ast.Name, function: Block) -> bool:
        """Whether the handler of a route has made it for its client: `ws = web.WebSocketResponse()`."""
        made = (one.value for one in function.scope.bindings.get(node.id, ()))
        return any(isinstance(one, ast.Call) and self._view.dotted(one.func) in _CONNECTIONS for one in made)

    def _read(self, node: ast.expr, function: Block | None, known: dict[str, Taint], depth: int) -> Taint | None:
        if depth == 0:
            return None
        match node:
            case ast.Constant() | ast.Compare() | ast.Lambda():
                return None
            case ast.Name():
                return self._name(node, function, known)
            case ast.Attribute():
                return self._attribute(node, function, known, depth)
            case ast.Call():
                return self._call(node, function, known, depth)
            case ast.UnaryOp() if isinstance(node.op, ast.Not):
                return None
            case ast.IfExp():
                return self._best((node.body, node.orelse), function, known, depth)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self._best((node.elt, *(one.iter for one in node.generators)), function, known, depth)
            case ast.DictComp():
                parts = (node.key, node.value, *(one.iter for one in node.generators))
                return self._best(parts, function, known, depth)
        children = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        return self._best(children, function, known, depth)

    def _best(
        self, nodes: Iterable[ast.expr], function: Block | None, known: dict[str, Taint], depth: int
    ) -> Taint | None:
        best: Taint | None = None
        for node in nodes:
            best = _better(best, self._read(node, function, known, depth - 1))
            if best is not None and best.by == "request":
                break
        return best

    def _name(self, node: ast.Name, function: Block | None, known: dict[str, Taint]) -> Taint | None:
        found = known.get(node.id)
        if found is not None:
            return found
        if function is not None and node.id in function.scope.bindings:
            return None
        outer = function.parent.function if function is not None and function.parent is not None else None
        if outer is not None and node.id in outer.scope.bindings:
            return self._of(outer).get(node.id)
        dotted = self._view.dotted(node)
        return Taint("request", f"`{node.id}`") if dotted in REQUEST_OBJECTS else None

    def _attribute(
        self, node: ast.Attribute, function: Block | None, known: dict[str, Taint], depth: int
    ) -> Taint | None:
        base = node.value
        if isinstance(base, ast.Name) and function is not None and base.id == function.receiver and base.id:
            stored = known.get(f"{base.id}.{node.attr}")
            if stored is not None and stored.by == "request":
                return stored
            if node.attr in OF_HANDLER and _is_of_handler(self._view, function.class_):
                return Taint("request", f"`{base.id}.{node.attr}`")
            return Taint("name", f"`{base.id}.{node.attr}`") if is_identity_like(node.attr) else None
        if self._view.dotted(node) in REQUEST_OBJECTS:
            return Taint("request", f"`{ast.unparse(node)}`")
        if node.attr in ("app", "url_for"):
            return None  # `request.app` is the application, the same for all
        return self._read(base, function, known, depth - 1)

    def _call(self, node: ast.Call, function: Block | None, known: dict[str, Taint], depth: int) -> Taint | None:
        dotted = self._view.dotted(node.func)
        if dotted in _NEUTRAL_CALLS:
            return None
        if dotted in REQUEST_CALLS:
            return Taint("request", f"`{dotted}()`")
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        if _IDENTITY_CALL.match(called) and called not in ("auth", "user", "token"):
            # `load_user(request.cookies["sid"])`: not only its name says so.
            handed = self._best(parts, function, known, depth)
            return Taint("request" if handed is not None and handed.by == "request" else "name", f"`{called}()`")
        if called in REQUEST_METHODS and isinstance(node.func, ast.Attribute):
            return Taint("request", f"`{called}()`")
        asked = self._view.function_named(dotted) if self._view.is_page else None
        if asked is not None and (told := self._view.once(_told_by, asked, meanwhile=None)) is not None:
            return told
        if isinstance(node.func, ast.Attribute):
            parts.append(node.func)
        return self._best(parts, function, known, depth)


def _told_by(view: FileView, function: Block) -> Taint | None:
    """What a function of a page, which runs for each visitor, has asked that one for, and gives back."""
    values = tuple(one.value for one in function.nodes(ast.Return) if one.value is not None)
    taint = view.best_taint(values, function)
    return taint if taint is not None and taint.by == "request" else None


def _is_of_handler(view: FileView, owner: Block | None) -> bool:
    """Whether a framework makes an object of the class for each request, as far as the name of a base tells."""
    if owner is None:
        return False
    known = any(view.entry_point(method) is not None for method in view.methods(owner))
    return known or any(_HANDLERS.search(one) for one in view.base_names(owner))


def _assigned(function: Block) -> Iterable[tuple[ast.expr, ast.expr]]:
    """Each target with what it is given, in the order of the text."""
    found: list[tuple[ast.expr, ast.expr]] = []
    for assign in function.nodes(ast.Assign):
        found += [(target, assign.value) for target in assign.targets]
    found += [(one.target, one.value) for one in function.nodes(ast.AnnAssign) if one.value is not None]
    found += [(one.target, one.value) for one in function.nodes(ast.AugAssign, ast.NamedExpr)]
    found += [(one.target, one.iter) for one in function.nodes(ast.For, ast.AsyncFor)]
    for block in function.nodes(ast.With, ast.AsyncWith):
        found += [(item.optional_vars, item.context_expr) for item in block.items if item.optional_vars is not None]
    for match in function.nodes(ast.Match):
        found += [(name, match.subject) for case in match.cases for name in _captured(case)]
    found.sort(key=lambda pair: (pair[0].lineno, pair[0].col_offset))
    for call in function.nodes(ast.Call):
        # What is put into a local container is in it.
        method = call.func
        if isinstance(method, ast.Attribute) and method.attr in ("append", "add", "update", "extend", "insert"):
            found += [(method.value, argument) for argument in call.args]
    return found


def _captured(case: ast.match_case) -> Iterable[ast.Name]:
    """The names that a pattern gives to parts of what is matched: `case ["LOGIN", name]`."""
    for one in ast.walk(case.pattern):
        if isinstance(one, ast.MatchAs | ast.MatchStar) and one.name is not None:
            yield ast.copy_location(ast.Name(one.name, ast.Store()), one)
        elif isinstance(one, ast.MatchMapping) and one.rest is not None:
            yield ast.copy_location(ast.Name(one.rest, ast.Store()), one)


def _names(target: ast.expr) -> Iterable[str]:
    match target:
        case ast.Name():
            yield target.id
        case ast.Tuple() | ast.List():
            for element in target.elts:
                yield from _names(element)
        case ast.Starred():
            yield from _names(target.value)
        case ast.Subscript() if isinstance(target.value, ast.Name):
            yield target.value.id
        case ast.Attribute() if isinstance(target.value, ast.Name):
            # What a method puts on its object it may read there again.
            yield f"{target.value.id}.{target.attr}"
