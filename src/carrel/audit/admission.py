"""Who is let in to a place: anybody, users who have signed in, whoever has a permission, administrators alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block, Decorator, Parameter, chain
from carrel.audit.depending import listed
from carrel.audit.facts import Admitted
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import DECORATED
from carrel.audit.origins import called_name
from carrel.audit.persons import person_in
from carrel.audit.tagged import names_scope

__all__ = ["administrators_routers", "admitted", "guards", "is_refusal", "is_restricted", "is_sign_in", "sign_in"]

_ADMINISTRATOR: Final = re.compile(r"(?i)admin|super_?user|staff|sysop")
_OR: Final = re.compile(r"_or_|\bor\b|\||(?<=[a-z])Or(?=[A-Z])")
"""Between those who are let in: `IsAdminOrReadOnly`, `admin_or_owner`."""
_OTHERS: Final = re.compile(r"(?i)(?<![a-z])(?:non|not|exclude|anonymous|optional|maybe)(?![a-z])")
_GUARDS: Final = re.compile(
    r"(?i)require|permission|passes_test|role|auth|access|only|check|protect|guard|secure|scope|ensure|verify|decorator"
)
"""What decides by its arguments who is let in: `user_passes_test(is_admin)`, `roles_required("admin")`."""
_ASSERTS: Final = re.compile(r"(?i)^_?(?:check|require|ensure|assert|verify|validate|authori[sz]e|must_be|needs?)_")
_REFUSES: Final = re.compile(
    r"(?i)\b40[134]\b|forbid|denied|unauthori[sz]ed|abort|redirect|permission|not_found|no_access"
)
_RANK: Final = re.compile(
    r"(?i)^(?:(?:is|has|check|user_is|am)_?)?(?:super_?|site_?|system_?|server_?)?(?:admin(?:istrator)?|user|staff)"
    r"(?:_?(?:user|role|member|rights|privileges|permissions?|access))?s?$"
)
"""A name, an attribute or a text that says whether somebody is an administrator; with `_ADMINISTRATOR`."""
_PERMITS: Final = re.compile(
    r"(?i)admin|superuser|staff|internal|master_key|(?:^|_)scim(?:_|$)|root_?user|permission|role|access|scope|"
    r"authori[sz]|owner|policy|can_|guard|passes_test|\ballows?\b|"
    r"require[sd]?_(?!user|auth|login|principal|identity|member|customer|account|signed|session|get|"
    r"post|put|patch|delete|head|safe|http|json|method)"
)
_SIGNED_IN: Final = re.compile(
    r"^(?:login|sign_?in|jwt|auth|token|authentication|member)_required$|^require[sd]?_(?:auth|login|user)$|"
    r"^(?:jwt|token)_auth(?:enticated)?$|^(?:authenticated|logged_in|signed_in)(?:_only)?$"
)
_REQUIRED: Final = re.compile(r"(?i)^(\w+)_(?:required|only)$")
_NO_RANK: Final = re.compile(
    r"(?i)(?:^|_)(?:log_?in|sign_?(?:in|ed)|logged|auth\w*|identity|token|jwt|session|credentials?|key|csrf|ajax|htmx|xhr|json|"
    r"form|body|params?|args?|fields?|get|post|put|patch|delete|safe|http|https|ssl|method|fresh|mfa|2fa|otp|sudo|"
    r"confirm\w*|verified|active|setup|feature|flag|debug|local|keyword)(?:_|$)"
)
"""What else may be required of a request, or of whoever sends it: `fresh_token_required`, `post_only`."""
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_RANKED: Final = re.compile(r"admin|staff|permission|owner|restrict|internal|moderator|privilege")
"""In the name of what a view is below: it is for some users only."""
_INTERNAL: Final = re.compile(r"(?i)admin|(?:^|[._])(?:internal|backoffice)(?:[._]|$)")
"""In the name of a module or class: what is there is for those who run the site, or for other services."""
_SIGNS_IN: Final = re.compile(
    r"^_?(?:require[sd]?_(?:login|user|signed_in|authenticated_user)|login_required|"
    r"(?:get_|require_)?(?:current|authenticated|signed_in|logged_in)_(?:active_)?user)$"
)
"""A dependency that does."""
_ALLOWS: Final = re.compile(
    r"(?i)admin|permission|(?<!un)(?<!not)authori[sz]e|check_.*access|^_?(?:can|has|is_allowed)_|forbid"
)
_RANKS: Final = frozenset(
    {"role", "roles", "is_admin", "is_superuser", "is_staff", "user_role", "permissions", "scopes"}
)
_AREA: Final = re.compile(r"(?i)admin|super_?user|staff|internal|scim")
_BEFORE: Final = frozenset({"dependencies", "guards", "auth", "permission", "permissions"})
_FOR_METHODS: Final = ("decorators", "method_decorators")
_SIGNED_IN_CLASSES: Final = frozenset({"IsAuthenticated", "AllowAny", "IsAuthenticatedOrReadOnly"})
_FIRST: Final = frozenset({"dispatch", "dispatch_request", "prepare", "initial", "setup"})
"""The methods of a class of views that are run before those for what is asked."""
_MIXIN: Final = re.compile(r"(?i)(?:mixin|required|only)$")
_PERSONNEL: Final = frozenset({"Staff", "StaffMember"})
_STAFF: Final = re.compile(r"(?i)staff")
_ALIAS: Final = re.compile(r"^(?:Current|Active|Require[sd]?|Authenticated|Verified)+(?:Admin|Super[Uu]ser|Staff)\w*$")
"""What a dependency is called where it is another file's: `CurrentSuperuser`."""

_RANKED_ALIAS: Final = re.compile(r"^(?:Admin|SuperUser|Superuser|Staff)User\w*$|^(?:Admin|Superuser)(?:Dep\w*|Or\w+)$")
"""As `_ALIAS`, where a type might be called so, of a body that is sent: `AdminUserOrDefault`."""


def admitted(view: FileView, function: Block) -> Admitted:
    """Who gets as far as the function, by what is in front of it and by what it turns people away with."""
    if _is_for_administrators(view, function):
        return "administrators"
    if _is_for_permitted(view, function):
        return "permitted"
    return "users" if sign_in(view, function) else "anybody"


def is_restricted(view: FileView, function: Block) -> bool:
    """Whether having signed in is not enough."""
    return admitted(view, function) in ("permitted", "administrators")


def sign_in(view: FileView, function: Block) -> str:
    """What in front of the function lets nobody in who has not signed in, `login_required`; empty when nothing does.

    A key of another service is no such thing: a service may ask for whom it likes.
    """
    for decorator in guards(view, function):
        if _SIGNED_IN.search(decorator.name):
            return decorator.name
    if _asks_for_sign_in(function):
        return "permission_classes"
    if function.class_ is not None and view.once(_is_for_signed_in, function.class_, meanwhile=False):
        return "LoginRequiredMixin"
    names = (one.rpartition(".")[2] for one in listed(view, function))
    return next((name for name in names if _SIGNS_IN.match(name)), "")


def administrators_routers(view: FileView) -> tuple[str, ...]:
    """The dotted names of routers and blueprints all of whose routes turn away who is no administrator."""
    found: dict[str, None] = {}
    for name, bindings in view.top.scope.bindings.items():
        for binding in bindings:
            if isinstance(binding.value, ast.Call) and _depends(binding.value):
                found[f"{view.top.symbol}.{name}"] = None
    for block in view.blocks:
        for call in block.nodes(ast.Call):
            includes = isinstance(call.func, ast.Attribute) and call.func.attr == "include_router"
            if includes and call.args and _depends(call):
                found[view.dotted(call.args[0])] = None
    for function in view.functions:
        for decorator in function.decorators:
            if decorator.name == "before_request" and _is_for_administrators(view, function):
                found[decorator.dotted.rpartition(".")[0]] = None
    found.pop("", None)
    return tuple(found)


def _is_for_administrators(view: FileView, function: Block) -> bool:
    """Whether something in front of the function, or in it, turns everybody away who is no administrator."""
    owner = function.class_
    return (
        any(_lets_in(one) for one in guards(view, function))
        or any(_asks(view, one) for one in function.parameters)
        or any(_refuses(one) for one in getattr(function.node, "body", ()))
        or (owner is not None and _is_administrators(view, owner))
    )


def _is_for_permitted(view: FileView, function: Block) -> bool:
    """Whether something says that only some users get as far as this: a guard, a check, a look at what they may."""
    for decorator in guards(view, function):
        if not _SIGNED_IN.search(decorator.name) and (_PERMITS.search(_told(decorator)) or _asks_rank(decorator.name)):
            return True
    if any(one not in _SIGNED_IN_CLASSES for one in _permission_classes(function)):
        return True
    for parameter in function.parameters:
        dependency = view.dependency(parameter)
        if dependency is None and _RANKED_ALIAS.match(view.annotation_name(parameter.annotation)):
            return True
        if dependency is not None and _PERMITS.search(f"{parameter.name} {dependency.rpartition('.')[2]}"):
            return True
    return (
        any(_asks_rank(one) or _RANKED.search(one) for one in _bases(function))
        or any(_ALLOWS.search(called_name(call)) for call in function.nodes(ast.Call))
        or any(one.attr in _RANKS and isinstance(one.ctx, ast.Load) for one in function.nodes(ast.Attribute))
        or "admin" in function.name.lower()
        or _INTERNAL.search(function.symbol.rpartition(".")[0]) is not None
    )


def _asks_rank(name: str) -> bool:
    """Whether a name says that only those of one kind get in: `worker_required`, not `member_required`."""
    asked = _REQUIRED.match(name)
    if asked is None or _NO_RANK.search(asked[1]):
        return False
    return not person_in(asked[1]) and not names_scope(asked[1])


def _bases(function: Block) -> Iterator[str]:
    """The names of what the class of a view has above it, as decorators would be called: `editor_required`."""
    for base in getattr(function.class_.node, "bases", ()) if function.class_ is not None else ():
        name = chain(base).rpartition(".")[2]
        yield _HUMP.sub("_", name.removesuffix("Mixin")).lower()


def is_sign_in(name: str) -> bool:
    """Whether a decorator of this name lets in whoever has signed in."""
    return _SIGNED_IN.search(name) is not None


def guards(view: FileView, function: Block) -> Iterator[Decorator]:
    """The decorators of the function, and those that its class has for all methods: `decorators = [login_required]`."""
    yield from function.decorators
    owner = function.class_
    if owner is None:
        return
    bindings = (one for name in _FOR_METHODS for one in owner.scope.bindings.get(name, ()))
    given = [one for binding in bindings for one in getattr(binding.value, "elts", ())]
    for decorator in owner.decorators:
        if decorator.name == "method_decorator" and decorator.call is not None:
            first = decorator.call.args[:1]
            given += [one for each in first for one in getattr(each, "elts", first)]
    for one in given:
        called = one if isinstance(one, ast.Call) else None
        named = called.func if called is not None else one
        yield Decorator(one, view.dotted(named) or chain(named), called)


def _told(decorator: Decorator) -> str:
    """The text of a decorator; of a route what runs before it, and where it is for those who run the site."""
    text = ast.unparse(decorator.node)
    if decorator.name not in DECORATED or decorator.call is None or _AREA.search(text):
        return text
    return " ".join(ast.unparse(one.value) for one in decorator.call.keywords if one.arg in _BEFORE)


def _permission_classes(function: Block) -> list[str]:
    """What the view of a REST framework asks of who calls: `permission_classes = [IsAuthenticated, IsOwner]`."""
    owner = function.class_
    if owner is None:
        return []
    values = [one.value for one in owner.scope.bindings.get("permission_classes", ())]
    return [ast.unparse(one).rpartition(".")[2] for value in values for one in getattr(value, "elts", ())]


def _asks_for_sign_in(function: Block) -> bool:
    asked = _permission_classes(function)
    is_view = any(one.name == "request" for one in function.parameters)
    return bool(asked) and is_view and all(one == "IsAuthenticated" for one in asked)


def _is_for_signed_in(view: FileView, owner: Block) -> bool:
    """Whether a base of the class of views, or one above it that this file shows, is `LoginRequiredMixin`."""
    paths = view.base_paths(owner)
    above = [one for one in view.classes if one.symbol in paths] if paths else []
    return "LoginRequiredMixin" in view.base_names(owner) or any(
        view.once(_is_for_signed_in, one, meanwhile=False) for one in above
    )


def _names_administrators(text: str) -> bool:
    return _OTHERS.search(text) is None and all(map(_ADMINISTRATOR.search, _OR.split(text)))


def _lets_in(decorator: Decorator) -> bool:
    """Whether a decorator lets only administrators in."""
    if decorator.name in DECORATED:
        return decorator.call is not None and _depends(decorator.call)
    if decorator.name == "permission_required" and decorator.dotted.startswith("django."):
        return True
    if _names_administrators(decorator.name):
        return _GUARDS.search(decorator.name) is not None or decorator.call is None
    arguments = [*decorator.call.args, *decorator.call.keywords] if decorator.call is not None else []
    told = [one for one in map(ast.unparse, arguments) if not one.startswith("name=")]
    return bool(told) and _GUARDS.search(decorator.name) is not None and all(map(_names_administrators, told))


def _depends(call: ast.Call) -> bool:
    """Whether a route or router has a dependency that lets only administrators in: `dependencies=[…]`."""
    given = (one.value for one in call.keywords if one.arg == "dependencies")
    return any(_names_administrators(ast.unparse(one)) for each in given for one in getattr(each, "elts", ()))


def _asks(view: FileView, parameter: Parameter) -> bool:
    """Whether a parameter is what a dependency gives to administrators alone: `Depends(get_current_admin)`."""
    dependency = view.dependency(parameter)
    if dependency is None:
        return _ALIAS.match(view.annotation_name(parameter.annotation)) is not None
    places = [one for one in (parameter.default, parameter.annotation) if one is not None]
    calls = (one for place in places for one in ast.walk(place) if isinstance(one, ast.Call))
    texts = [
        dependency.rpartition(".")[2],
        *(ast.unparse(each) for one in calls for each in (*one.args, *one.keywords)),
    ]
    if view.annotation_name(parameter.annotation) in _PERSONNEL:
        # Who has a class of their own are a kind of user, as the staff of a school: it is no rank.
        texts = [_STAFF.sub("", one) for one in texts]
    return any(map(_names_administrators, texts))


def _refuses(statement: ast.stmt) -> bool:
    """Whether a statement ends its function for others: `if not user.is_admin: raise …`, `check_superuser(user)`."""
    match statement:
        case ast.If(test=test, body=body):
            return any(map(_is_other, _alternatives(test))) and is_refusal(body[-1])
        case ast.Expr(value=ast.Await(value=ast.Call(func=called)) | ast.Call(func=called)):
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            return _ASSERTS.match(name) is not None and _names_administrators(name)
    return False


def _alternatives(test: ast.expr) -> list[ast.expr]:
    return test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]


def _is_other(test: ast.expr) -> bool:
    """Whether the test holds for whoever is no administrator, and says nothing else: `user.role != "admin"`."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.BoolOp() | ast.Name()):
            return False
        case ast.UnaryOp(op=ast.Not()) | ast.Compare(ops=[ast.NotEq() | ast.NotIn()]):
            return any(_RANK.match(text) and _ADMINISTRATOR.search(text) for text in _texts(test))
    return False


def _texts(node: ast.expr) -> Iterator[str]:
    """The names and the texts in an expression, but for the name of somebody of the staff: `staff.school`."""
    persons = {one.value for one in ast.walk(node) if isinstance(one, ast.Attribute)}
    for one in ast.walk(node):
        match one:
            case ast.Name(id=text) if one in persons and _STAFF.fullmatch(text):
                continue
            case ast.Attribute(attr=text) | ast.Name(id=text) | ast.Constant(value=str(text)):
                yield text


def is_refusal(statement: ast.stmt) -> bool:
    """Whether the statement turns the caller away: it raises, or answers with a 403 or the like."""
    if isinstance(statement, ast.Raise):
        return True
    return isinstance(statement, ast.Return | ast.Expr) and _REFUSES.search(ast.unparse(statement)) is not None


def _is_administrators(view: FileView, owner: Block) -> bool:
    """Whether a class of views is for administrators, by its decorators, its bases, or the permissions it asks for."""
    if any(_lets_in(one) for one in owner.decorators):
        return True
    first = (one for one in view.methods(owner) if one.name in _FIRST)
    if any(_refuses(statement) for one in first for statement in getattr(one.node, "body", ())):
        return True
    bases = [chain(one).rpartition(".")[2] for one in getattr(owner.node, "bases", ())]
    mixins = [one for one in bases if _MIXIN.search(one)]
    if "PermissionRequiredMixin" in mixins or any(map(_names_administrators, mixins)):
        return True
    asked = [
        ast.unparse(one) for value in _permissions(view, owner, mixins) for one in getattr(value, "elts", (value,))
    ]
    return any(map(_names_administrators, asked))


def _permissions(view: FileView, owner: Block, mixins: list[str]) -> Iterator[ast.expr]:
    for binding in owner.scope.bindings.get("permission_classes", ()):
        if binding.value is not None:
            yield binding.value
    for method in view.methods(owner):
        if method.name == "is_accessible" or (method.name == "test_func" and "UserPassesTestMixin" in mixins):
            yield from (one.value for one in method.nodes(ast.Return) if one.value is not None)
