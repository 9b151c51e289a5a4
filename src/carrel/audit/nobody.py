"""What stands for those who have no identity: `claims.get("sub", "default")`, `user.id if user else "anonymous"`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.callers import is_said_of_somebody, names_user, proves
from carrel.audit.chains import chain_names, chain_root
from carrel.audit.file_view import FileView
from carrel.audit.keyed import is_there, keyed, only_ends
from carrel.audit.origins import called_name, in_session
from carrel.audit.persons import person_in, says_of_person
from carrel.audit.sent import claimed, origins
from carrel.audit.tagged import names_scope
from carrel.audit.taint import is_identity_like

__all__ = ["counts_only", "gives_stand_in", "key_names", "key_parts", "keyed_parameters", "names_session", "stand_ins"]

_COUNTS: Final = re.compile(r"(?i)limit|throttl|quota|rate|metric|stat|count|audit|(?:^|_)log|color|colour|usage|"
                            r"budget|locale|language|config|settings|registry|client")  # fmt: skip
_WHO: Final = re.compile(r"(?:^|_)(?:session|session_?id|session_?hash|thread_?id|conversation_?id|chat_?id|sid)$")
_CLAIMS: Final = re.compile(r"(?i)claims|payload|jwt|token|decoded")
_NUMBERS: Final = frozenset({"id", "pk", "user_id", "sub", "uid", "username", "identifier"})
"""Attributes of a person that tell them from all others."""
_MESSAGES: Final = re.compile(
    r"(?i)body|payload|event|message|request|headers|params|interaction|update|context|form|data$"
)
"""What a helper is handed that a client has sent, as it is called where nothing else says so."""
_MAKES_KEY: Final = re.compile(r"^(?:sha\d\w*|md5|blake2[bs]|quote(?:_plus)?|str)$|(?:^|_)key(?:$|_(?:of|for)$)")
"""What makes another text of one, the same of the same."""
_OF_ONE: Final = frozenset({"token", "key", "session", "code"})
_ITSELF: Final = re.compile(r"(?i)(?:^|[-_:.])(?:scheduler|cron|worker|daemon)(?:[-_:.]|$)")
"""What a program calls the parts of its own that ask for nobody."""
_ADDRESS: Final = re.compile(r"^/|://")


def counts_only(name: str) -> bool:
    """Whether a function or container of this name counts or configures: what is in it is nobody's in particular."""
    return _COUNTS.search(name) is not None


def names_session(name: str) -> bool:
    """Whether a name is that of one conversation: `session_id`, `thread_id`."""
    return _WHO.search(name) is not None


def stand_ins(view: FileView, key: ast.expr, function: Block) -> Iterator[tuple[ast.expr, str]]:
    """The places where a key becomes a constant because there is no identity, each with the constant as text."""
    parts = tuple(key_parts(key, function))
    is_text = any(isinstance(one, ast.JoinedStr | ast.BinOp) for one in parts)
    for node in parts:
        if _tells_besides(parts, node, function):
            continue
        filled = _filled_in(view, node, function) if isinstance(node, ast.Name) else None
        if filled is not None and not _turns_away(filled, filled, function):
            yield filled, f"`{ast.unparse(filled)}`"
            continue
        default = _default(view, node, function)
        if default is not None and not _turns_away(node, default, function):
            yield node, f"`{ast.unparse(default)}`"
        elif (
            default is None
            and node is not key
            and (_is_none_for_nobody(node, function) or (is_text and _may_be_missing(view, node, function)))
        ):
            yield node, "`None`"


def gives_stand_in(view: FileView, function: Block) -> bool:
    """Whether what the function gives back is a constant for everybody who has no identity."""
    given = (one.value for one in function.nodes(ast.Return) if one.value is not None)
    return any(True for value in given for _ in stand_ins(view, value, function))


def key_names(view: FileView, function: Block) -> tuple[str, ...]:
    """The names of users that the function makes keys of: its parameters, or what it reads from the request."""
    found: dict[str, None] = {}
    if not counts_only(function.name):
        for use in keyed(view, function):
            if not counts_only(ast.unparse(use.container).rpartition(".")[2]):
                for part in key_parts(use.key, function):
                    name = _name(part)
                    if names_user(name) or says_of_person(name):
                        found[name] = None
    return tuple(found)


def keyed_parameters(view: FileView, function: Block) -> tuple[tuple[str, bool], ...]:
    """The parameters that the function makes keys of what outlives the call of; each with whether its object has it."""
    found: dict[tuple[str, bool], None] = {}
    for use in keyed(view, function):
        if only_ends(view, use) or is_there(view, use):
            continue
        parts = tuple(key_parts(use.key, function))
        for part in parts:
            handed = isinstance(part, ast.Name) and part.id != function.receiver and function.parameter(part.id)
            if isinstance(part, ast.Name) and handed and not _tells_besides(parts, part, function):
                found[part.id, use.access.kind == "self" and not use.is_store] = None
    if function.is_initializer and function.class_ is not None:
        held = {
            mutation.name: value.id
            for mutation in view.mutations_in(function) if mutation.kind == "attribute"
            for value in mutation.values if isinstance(value, ast.Name) and function.parameter(value.id) is not None
        }  # fmt: skip
        for method in view.methods(function.class_) if held else ():
            for name in _attributes_in_keys(view, method) & held.keys():
                found[held[name], False] = None
    return tuple(found)


def _attributes_in_keys(view: FileView, method: Block) -> set[str]:
    """The attributes of its object of which a method makes keys in what all objects have: `store.get(self.key)`."""
    return {
        part.attr
        for use in keyed(view, method) if use.access.kind != "self" or use.is_store
        if not only_ends(view, use) and not is_there(view, use)
        for part in key_parts(use.key, method)
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == method.receiver
    }  # fmt: skip


def key_parts(key: ast.expr, function: Block) -> Iterator[ast.expr]:
    """The key's own expressions, through texts, tuples and locals."""
    stack, seen = [key], set[int]()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        match node:
            case ast.Name():
                if function.parameter(node.id) is None:
                    stack += [one.value for one in function.scope.bindings.get(node.id, ()) if one.value is not None]
            case ast.JoinedStr():
                stack += [one.value for one in node.values if isinstance(one, ast.FormattedValue)]
            case ast.Tuple():
                stack += node.elts
            case ast.BinOp():
                stack += [node.left, node.right]
            case ast.BoolOp(op=ast.Or()):
                stack += node.values[-1:]  # what it is where nothing before it has a value
            case (
                ast.Await(value=inner)
                | ast.Call(func=ast.Attribute(value=inner, attr="encode" | "hexdigest" | "digest"))
            ):
                stack.append(inner)
            case ast.Call() if _MAKES_KEY.search(called_name(node)):
                stack += node.args


def _tells_besides(parts: tuple[ast.expr, ...], node: ast.expr, function: Block) -> bool:
    """Whether another part of the key says whose it is: `(organization_id, session_id or "")` is not one for all."""
    return any(
        one is not node and names_user(_name(one))
        and (isinstance(one, ast.Attribute) or (isinstance(one, ast.Name) and function.parameter(one.id) is not None))
        for one in parts
    )  # fmt: skip


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript(slice=ast.Constant(value=str(text))):
            return text
    return ""


def _default(view: FileView, node: ast.expr, function: Block) -> ast.expr | None:
    """The constant that a part of a key is where there is no identity."""
    match node:
        case ast.IfExp() if _is_fixed(node.orelse) and _is_identity(view, node.body, function):
            return node.orelse
        case ast.IfExp() if _is_fixed(node.body) and _is_identity(view, node.orelse, function):
            return node.body
        case ast.BoolOp(op=ast.Or()) if _is_fixed(node.values[-1]) and _is_identity(view, node.values[0], function):
            return node.values[-1]
        case ast.Call() if len(node.args) > 1 and _is_text(node.args[-1]) and _asks_who(view, node, function):
            return node.args[-1]
    return None


def _filled_in(view: FileView, name: ast.Name, function: Block) -> ast.expr | None:
    """The constant that a local is given where it has no identity: `if owner is None: owner = "guest"`."""
    for guard in function.nodes(ast.If):
        match guard:
            case ast.If(test=test, body=[ast.Assign(targets=[ast.Name(id=target)], value=default)], orelse=[]) if (
                target == name.id and _is_fixed(default) and _is_without(test, target)
            ):
                given = (one.value for one in function.scope.bindings.get(target, ()) if one.value is not default)
                if any(one is not None and _is_identity(view, one, function) for one in given):
                    return default
    return None


def _is_without(test: ast.expr, name: str) -> bool:
    """Whether a test asks if the name has no value."""
    match test:
        case (
            ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=asked))
            | ast.Compare(left=ast.Name(id=asked), ops=[ast.Is()], comparators=[ast.Constant(value=None)])
        ):
            return asked == name
    return False


def _asks_who(view: FileView, call: ast.Call, function: Block) -> bool:
    """Whether the call asks for who somebody is and has a text instead: `getattr(user, "id", "nobody")`."""
    said = call.args[-2]
    text = said.value if isinstance(said, ast.Constant) and isinstance(said.value, str) else ""
    text = text.lower().replace("-", "_").removeprefix("x_")
    named = called_name(call)
    if named == "getattr" and len(call.args) == 3 and (text in _NUMBERS or says_of_person(text)):
        return _is_identity(view, call.args[0], function) or names_user(text)
    return named == "get" and (
        names_user(text)
        or names_session(text)
        or _is_claim(call, text)
        or (_tells_who(text) and (_is_sent_along(call) or in_session(view, call, function)))
    )


def _is_sent_along(call: ast.Call) -> bool:
    """Whether it is a header or a cookie."""
    return isinstance(call.func, ast.Attribute) and chain_names(call.func.value)[-1] in ("headers", "cookies")


def _tells_who(text: str) -> bool:
    """Whether a header of this name tells one from the others: `visitor`, `patient_token`."""
    before, _, last = text.rpartition("_")
    return bool(person_in(text)) or (last in _OF_ONE and bool(person_in(before)))


def _is_none_for_nobody(node: ast.expr, function: Block) -> bool:
    """Whether a part of a text is `None` for all without an identity: `f"history:{getattr(member, 'id', None)}"`."""
    match node:
        case ast.Call(args=[held, ast.Constant(value=str(text)), ast.Constant(value=None)]):
            asked = called_name(node) == "getattr" and text in _NUMBERS
        case ast.IfExp(body=ast.Attribute(value=held, attr=text), orelse=ast.Constant(value=None)):
            asked = text in _NUMBERS
        case ast.BoolOp(op=ast.And(), values=[held, ast.Attribute(value=inner, attr=text)]):
            asked = ast.dump(inner) == ast.dump(held) and text in _NUMBERS
        case _:
            return False
    return asked and isinstance(held, ast.Name) and not _is_refused(held.id, node, function) and (
        bool(person_in(held.id)) or names_user(held.id)
    )  # fmt: skip


def _may_be_missing(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether a part of a text is what the client may leave out: `f"drafts:{request.headers.get('x-tenant')}"`."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="get", value=held),
            args=[ast.Constant(value=str(text))] | [ast.Constant(value=str(text)), ast.Constant(value=None)],
        ):
            said = text.lower().replace("-", "_").removeprefix("x_")
        case _:
            return False
    if not (names_user(said) or names_session(said) or names_scope(said) or person_in(said)):
        return False
    root = chain_root(held)
    is_parameter = isinstance(held, ast.Name) and function.parameter(held.id) is not None
    is_handed = is_parameter and _MESSAGES.search(ast.unparse(held)) is not None
    # A token need not have the claim either.
    if not (is_handed or _CLAIMS.search(ast.unparse(held))) and not (
        claimed(view, node, function) or in_session(view, node, function)
    ):
        return False
    return not _is_asked_about(view, node, root, function)


def _is_asked_about(view: FileView, node: ast.Call, root: ast.expr, function: Block) -> bool:
    """Whether something in the function asks whether the value is there, or gives another one where it is not."""
    around = view.module.parent(node)
    if isinstance(around, ast.NamedExpr):
        return True
    names = [one.id for one in around.targets if isinstance(one, ast.Name)] if isinstance(around, ast.Assign) else []
    if any(len(function.scope.bindings.get(name, ())) > 1 for name in names):
        return True
    text = ast.unparse(node.args[0])
    for one in (*function.nodes(ast.If, ast.IfExp), *function.nodes(ast.Assert, ast.While)):
        for part in ast.walk(one.test):
            if isinstance(part, ast.Name) and part.id in names:
                return True
            # `if "x-tenant" not in request.headers: raise`
            if isinstance(part, ast.Constant) and ast.unparse(part) == text and isinstance(root, ast.Name):
                return True
    return False


def _is_refused(name: str, besides: ast.expr, function: Block) -> bool:
    """Whether something else in the function asks whether there is anybody."""
    tests = (one.test for one in function.nodes(ast.If, ast.IfExp) if one is not besides)
    return any(isinstance(one, ast.Name) and one.id == name for test in tests for one in ast.walk(test))


def _turns_away(value: ast.expr, default: ast.expr, function: Block) -> bool:
    """Whether the function raises where the name that is given the value has the default: `if not subject: raise`."""
    bindings = function.scope.bindings.items()
    names = {name for name, bound in bindings if any(value in _alternatives(one.value) for one in bound)}
    is_empty = isinstance(default, ast.Constant) and not default.value
    for guard in function.nodes(ast.If):
        if isinstance(guard.body[-1], ast.Raise):
            either = guard.test if isinstance(guard.test, ast.BoolOp) and isinstance(guard.test.op, ast.Or) else None
            for test in either.values if either is not None else [guard.test]:
                match test:
                    case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)) | ast.Compare(
                        ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]), [ast.Lt() | ast.LtE()]
                    ) if is_empty and name in names:
                        return True
                    case ast.Compare(left=ast.Name(id=name), ops=[ast.Eq()], comparators=[other]) if name in names:
                        if ast.dump(other) == ast.dump(default):
                            return True
    return False


def _alternatives(node: ast.expr | None) -> list[ast.expr | None]:
    return [node, *(node.values if isinstance(node, ast.BoolOp) else ())]


def _is_claim(call: ast.Call, text: str) -> bool:
    """Whether it is the subject of a token: `claims.get("sub")`."""
    held = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    return text == "sub" and _CLAIMS.search(held) is not None


def _is_identity(view: FileView, node: ast.expr, function: Block) -> bool:
    for one in origins(view, node, function):
        if proves(view, one, function) and not is_said_of_somebody(one):
            return True
        if isinstance(one, ast.Call) and called_name(one) == "get" and one.args:
            asked = one.args[0]
            if isinstance(asked, ast.Constant) and _is_claim(one, str(asked.value)):
                return True
        if isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Constant) and one.slice.value == "sub":
            return True
        if in_session(view, one, function) and says_of_person(_asked_for(one)):
            return True
        said = claimed(view, one, function).lower().replace("-", "_").removeprefix("x_")
        name = one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", said) or said
        if names_user(name) or names_session(name):
            return True
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.attr in _NUMBERS:
            # `sender.id`, where `sender = update.effective_user`
            held = [each.attr for each in origins(view, one.value, function) if isinstance(each, ast.Attribute)]
            return any(is_identity_like(it) or names_user(it) or person_in(it) for it in (one.value.id, *held))
    return False


def _asked_for(node: ast.expr) -> str:
    """The text under which something is looked up: `session["traveller_id"]`."""
    match node:
        case (
            ast.Subscript(slice=ast.Constant(value=str(text)))
            | ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(text)), *_])
        ):
            return text
    return ""


def _is_text(node: ast.expr) -> bool:
    """Whether it is a text that may stand for somebody: an address, `"/users/me"`, and the program itself do not."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    return not _ADDRESS.search(node.value) and not _ITSELF.search(node.value)


def _is_fixed(node: ast.expr) -> bool:
    """Whether it is such a text, or a number: `0`."""
    return _is_text(node) or (isinstance(node, ast.Constant) and type(node.value) is int)
