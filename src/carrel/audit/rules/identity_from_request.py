"""Who a request is for is read from the request, past what the token proves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from carrel.audit.admission import is_restricted
from carrel.audit.blocks import Block
from carrel.audit.callers import names_user, proven, prover
from carrel.audit.chains import chain_names
from carrel.audit.conditions import Condition
from carrel.audit.data_conditions import Gives, SentParameter
from carrel.audit.file_view import FileView
from carrel.audit.held import text_of
from carrel.audit.keyed import keyed
from carrel.audit.merged import merged_over
from carrel.audit.origins import called_name
from carrel.audit.persons import person_in
from carrel.audit.rows import bound
from carrel.audit.rule import Candidate, rule_page
from carrel.audit.said_checks import COMPARES, SELECTS, is_another, is_compared, is_filter, is_refused
from carrel.audit.sent import claimed, is_in_address, origins
from carrel.audit.tagged import names_scope
from carrel.audit.through import called_here
from carrel.findings import RuleInfo, Severity

__all__ = ["IdentityFromRequest"]

_SIGNING_IN: Final = re.compile(r"(?i)log_?in|sign_?(?:in|up)|register|token|password|reset|invite|callback|webhook|"
                                r"verify|oauth|exists|create_user|provision|admin")  # fmt: skip
_NAMES_NOBODY: Final = frozenset({"email", "username", "user", "owner", "subject", "identity"})
"""Often something else than who is calling: a form's field, a repository's owner."""
_NUMBERS: Final = frozenset({"id", "pk", "sub", "uid", "user_id"})
"""What tells the user whom a token proves from all others."""
_RECORD: Final = re.compile(r"(?i)customer|account")
"""Of a tool more often what it is about, at a service that the operator has a key for, than who is asking."""
_NOBODY: Final = re.compile(r"^_*(?:auth|authenticated|authorized|api_key|key|token|credentials)?$")
"""What a check is called that may be of a key which all have."""
_MAKES_USER: Final = re.compile(r"(?i)user|principal|identity|tenant|account|caller")
_DATA: Final = re.compile(
    r"^a?_?(?:get|list|load|fetch|read|find|search|query|add|save|store|create|insert|set|put|append|update|delete|"
    r"remove|clear|remember|record|retrieve|export)(?:_|$)|^\w+_(?:of|for)$"
)
_RUNS: Final = re.compile(
    r"^a?_?(?:invoke|run|stream|kickoff|chat|execute|start_run)(?:_\w+)?$|^(?:ainvoke|astream|arun)"
)
"""Methods of agents, chains and graphs that do one user's work."""
_ROWS: Final = re.compile(r"(?is)\b(?:select|update|delete)\b.*?\bwhere\b(.*)")
_COLUMN: Final = re.compile(r"(\w+)\s*=\s*(?:\$\d|%s|\?|:\w|%\()")
_EMAIL: Final = re.compile(r"(?i)(?:^|_)email$")
_STORE: Final = re.compile(r"(?i)(?:store|storage|repo|repository|repositories|dao)$")
_RANKS: Final = re.compile(r"(?i)\brole|admin|superuser|is_staff|manager")


class IdentityFromRequest:
    """`HISTORY[turn.user_id]` in a handler that has the signed-in user at hand."""

    info = RuleInfo(
        rule="identity-from-request",
        code="CAR024",
        severity="error",
        title="Identity is taken from the request instead of the token",
        why="A body, a header, a query or a tool's argument says whatever the client, or the model, writes into it. "
        "Whoever writes another user's id there is that user.",
        fix="Take the user from the verified token, and leave the field out or compare it with the token.",
        page=rule_page("identity-from-request"),
        leak_classes=(24,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            yield from self._overridden(view, function)
            entry = view.entry_point(function)
            if entry is None or entry.kind not in ("route", "websocket", "tool"):
                continue
            yield from self._selected(view, function)
            if is_restricted(view, function):
                continue
            yield from self._run_for(view, function)
            yield from self._by_helper(view, function)
            if not _SIGNING_IN.search(f"{function.name} {entry.label}"):
                yield from self._dropped(view, function, entry.label)
                yield from self._keyed(view, function, entry.kind, entry.label)

    def _keyed(self, view: FileView, function: Block, kind: str, label: str) -> Iterator[Candidate]:
        caller = prover(view, function)
        if _NOBODY.match(caller) and _unheeded(view, function):
            caller = ""  # a key of the deployment's is checked, and tells nobody from another
        own = person_in(caller) if _unheeded(view, function) else ""
        heeded = bool(caller) and not _unheeded(view, function)
        for node, key, is_kept in _data_keys(view, function, known=heeded):
            said = [claimed(view, one, function) for one in origins(view, key, function)]
            name = said[0] if said else ""
            # `guest_id` is the caller's where a `guest` is who is calling.
            is_who = _is_identity(name) or (bool(own) and own == person_in(name))
            if not name or not all(said) or not is_who or is_compared(view, function, name):
                continue
            if caller and is_another(view, node, function):
                continue
            in_path = is_in_address(function, name, label)
            severity: Severity = "error" if caller else "warning"
            if in_path:
                # `/users/<int:user_id>/followers`: more often whom it is about than who is asking.
                severity = "warning" if kind == "websocket" and is_kept else "info"
            elif is_filter(function, key, name) or (
                not caller and (kind == "route" or (kind == "tool" and _RECORD.search(name)))
            ):
                severity = "info"
            told = f", though `{caller}` says who is calling" if caller else ""
            message = f"`{function.name}` takes whose data it is from `{name}` of the request{told}"
            yield view.candidate(self.info, node, message, block=function, severity=severity)
            return

    def _selected(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`fetch("… WHERE email = $1", email)` with an argument of the request, and a token that is asked for less."""
        caller = prover(view, function) if not _SIGNING_IN.search(function.name) else ""
        for call in function.nodes(ast.Call) if caller else ():
            texts = [text_of(one) for one in call.args]
            if not any(map(_asks_for_rows, texts)):
                continue
            handed = [one for each in call.args for one in bound(each)]
            said = [
                (name, one)
                for one in handed
                if (names := [claimed(view, each, function) for each in origins(view, one, function)]) and all(names)
                and (names_user(name := names[0]) or person_in(name))
            ]  # fmt: skip
            if said and not any(proven(view, one, function) for one in handed):
                name = said[0][0]
                if not is_compared(view, function, name) and not _RANKS.search(ast.unparse(function.node)):
                    message = (
                        f"`{function.name}` selects by `{name}` of the request, though `{caller}` knows the caller"
                    )
                    yield view.candidate(self.info, call, message, block=function, severity="warning")

    def _run_for(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`graph.ainvoke(state, config={"configurable": {"user_id": body.user_id}})`: whom it works for."""
        caller = prover(view, function)
        own = person_in(caller)
        for call in function.nodes(ast.Call) if caller else ():
            if not _RUNS.match(called_name(call)):
                continue
            if (over := merged_over(view, call, function)) is not None:
                message = f"`{function.name}` lets `{ast.unparse(over)}` of the request say who `{caller}` is"
                yield view.candidate(self.info, over, message, block=function, severity="error")
                return
            for name, value in _fields(view, call, function):
                said = [claimed(view, one, function) for one in origins(view, value, function)]
                is_who = names_user(name) or (own and person_in(name) == own)
                if said and all(said) and is_who and not is_compared(view, function, said[0]):
                    message = (
                        f"`{function.name}` runs as `{said[0]}` of the request, though `{caller}` knows the caller"
                    )
                    yield view.candidate(self.info, value, message, block=function, severity="error")
                    return

    def _by_helper(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`filter_by(tenant_id=tenant_id())`, where the helper gives what a header says."""
        caller = prover(view, function)
        for node, key, _ in _data_keys(view, function) if caller else ():
            parameter = function.parameter(key.id) if isinstance(key, ast.Name) else None
            dependency = view.dependency(parameter) if parameter is not None else None
            if not dependency or parameter is None or not names_user(parameter.name):
                continue
            # The one that says it cannot be the one that proves it.
            other = prover(view, function, besides=parameter.name)
            if other:
                message = f"`{parameter.name}` is what the client says, though `{other}` knows the caller"
                yield view.candidate(self.info, node, message, block=function, given=(Gives(dependency, "claimed"),))
        for call in function.nodes(ast.Call) if caller else ():
            selects = called_name(call) in ("filter", "filter_by", "where", "get_or_404")
            for keyword in call.keywords if selects or _DATA.match(called_name(call)) else ():
                for one in origins(view, keyword.value, function):
                    path = view.path(one.func, function) if isinstance(one, ast.Call) and not one.args else ""
                    if path and names_user(keyword.arg or ""):
                        message = f"`{ast.unparse(one)}` is what the client says, though `{caller}` knows the caller"
                        yield view.candidate(self.info, call, message, block=function, given=(Gives(path, "claimed"),))

    def _dropped(self, view: FileView, function: Block, label: str) -> Iterator[Candidate]:
        """`where(Wallet.user_id == user_id)` with an argument of the request, and claims that nothing is done with."""
        caller = _unheeded(view, function)
        for call, value in _asked_for(function) if caller else ():
            said = [claimed(view, one, function) for one in origins(view, value, function)]
            name = said[0] if said else ""
            if not name or not all(said) or not _is_identity(name) or is_compared(view, function, name):
                continue
            if not is_in_address(function, name, label):
                message = (
                    f"`{function.name}` selects by `{name}` of the request, and does nothing with what `{caller}` says"
                )
                yield view.candidate(self.info, call, message, block=function, severity="warning")
                return

    def _overridden(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`request.headers.get("x-on-behalf-of") or user.id`: what is said goes before what is proven."""
        for choice, first, last in _choices(function):
            name, given = _said_first(view, first, function)
            if (
                not name
                or not (proven(view, last, function) or _claim(last) == "sub")
                or (first is not choice and proven(view, first, function))
            ):
                continue
            claim = _claim(last, name)
            own = isinstance(last, ast.Attribute) and last.attr in _NUMBERS
            is_who = (
                (names_user(name) and name != "owner")
                or bool(given)
                or ((claim in (_bare(name), "sub") or own) and _is_whose(_bare(name)))
            )
            if not is_who or is_refused(view, choice, function):
                continue
            target = getattr(view.module.parent(choice), "targets", [None])[0]
            is_own = own and isinstance(target, ast.Name) and _is_whose(target.id)
            is_identity = is_own or claim == "sub" or _is_whose(claim) or _is_identity_then(view, choice, function)
            # What is handed to a method goes before what its object was made with: who has made that is not seen.
            severity: Severity = "info" if given and chain_names(last)[0] == (function.receiver or "self") else "error"
            if is_identity and not is_restricted(view, function):
                message = f"`{function.name}` lets `{name}` of the request go before the user that the token proves"
                yield view.candidate(self.info, choice, message, block=function, given=given, severity=severity)


def _choices(function: Block) -> Iterator[tuple[ast.expr, ast.expr, ast.expr]]:
    """Where one of two values is taken, and the two: `asked or own`, `if asked: return asked` before `return own`."""
    for choice in function.nodes(ast.BoolOp, ast.IfExp):
        if isinstance(choice, ast.IfExp):
            yield choice, choice.body, choice.orelse
        elif isinstance(choice.op, ast.Or):
            yield choice, choice.values[0], choice.values[-1]
    for call in function.nodes(ast.Call):
        if called_name(call) == "get" and isinstance(call.func, ast.Attribute) and len(call.args) == 2:
            yield call, call, call.args[1]  # `headers.get("x-tenant", claims["tenant"])`
    body = getattr(function.node, "body", ())
    for one, after in pairwise(body):
        match one, after:
            case ast.If(test=test, body=[ast.Return(value=first)], orelse=[]), ast.Return(value=last):
                if first is not None and last is not None and ast.unparse(first) in ast.unparse(test):
                    yield first, first, last


def _said_first(view: FileView, first: ast.expr, function: Block) -> tuple[str, tuple[Condition, ...]]:
    """What the client calls the value, and what must hold for that: of a helper, that it is handed over as sent."""
    for one in origins(view, first, function):
        if name := claimed(view, one, function):
            return name, ()
        parameter = function.parameter(one.id) if isinstance(one, ast.Name) else None
        if parameter is None or parameter.name == function.receiver or view.entry_point(function) is not None:
            continue
        is_compared = any(
            isinstance(side, ast.Name) and side.id == parameter.name
            for comparison in function.nodes(ast.Compare)
            for side in (comparison.left, *comparison.comparators)
            if not isinstance(comparison.ops[0], ast.Is | ast.IsNot)
        )
        if view.dependency(parameter) is None and not is_compared:
            is_sent = view.marker(parameter).startswith("fastapi.")  # `x_member: str = Header()` of a dependency
            return parameter.name, () if is_sent else (SentParameter(function.symbol, parameter.name),)
    return "", ()


def _bare(name: str) -> str:
    """The name under which a client says something, as a field is named: `household` of `X-Household`."""
    return name.lower().replace("-", "_").removeprefix("x_")


def _claim(node: ast.expr, said: str = "") -> str:
    """The name of a claim of a token: `clinic` of `claims["clinic"]`; of several that lead to a value, the one said."""
    match node:
        case ast.Attribute() if _bare(said) in chain_names(node)[1:] and _bare(said) not in _NAMES_NOBODY:
            return _bare(said)
        case (
            ast.Subscript(slice=ast.Constant(value=str(name)))
            | ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_])
        ):
            return name
    return ""


def _is_whose(name: str) -> bool:
    return names_user(name) or names_scope(name) or bool(person_in(name))


def _asks_for_rows(text: str) -> bool:
    """Whether a statement is about the rows of one person, or of those who work together: `WHERE holder = $1`."""
    rows = _ROWS.search(text)
    columns = _COLUMN.findall(rows[1]) if rows is not None else ()
    return any(_is_whose(one) or _EMAIL.search(one) for one in columns)


def _unheeded(view: FileView, function: Block) -> str:
    """What says who is calling, and is not listened to: a parameter never read, a call whose result is dropped."""
    caller = prover(view, function)
    if function.parameter(caller) is not None:
        return caller if not any(one.id == caller for one in function.nodes(ast.Name)) else ""
    for statement in function.nodes(ast.Expr):
        call = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
        called = called_here(view, call) if isinstance(call, ast.Call) else None
        for returned in called.nodes(ast.Return) if called is not None else ():
            if returned.value is not None and proven(view, returned.value, called or function):
                return ast.unparse(call.func) if isinstance(call, ast.Call) else ""
    return ""


def _asked_for(function: Block) -> Iterator[tuple[ast.Call, ast.expr]]:
    """What selects a user's rows: `where(Row.user_id == value)`, `filter_by(user_id=value)`, `self.store.of(value)`."""
    for call in function.nodes(ast.Call):
        if called_name(call) in SELECTS:
            for one in call.args:
                match one:
                    case ast.Compare(left=ast.Attribute(attr=name), ops=[ast.Eq()], comparators=[value]):
                        if names_user(name):
                            yield call, value
            yield from ((call, one.value) for one in call.keywords if names_user(one.arg or ""))
        elif isinstance(call.func, ast.Attribute) and _STORE.search(ast.unparse(call.func.value)):
            handed = () if _DATA.match(call.func.attr) else (*call.args, *(one.value for one in call.keywords))
            yield from ((call, one) for one in handed)


def _fields(view: FileView, call: ast.Call, function: Block) -> Iterator[tuple[str, ast.expr]]:
    """What a call is handed by names: its keywords, and the items of the dictionaries that are written down for it."""
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg, keyword.value
    for value in (*call.args, *(one.value for one in call.keywords)):
        for made in origins(view, value, function):
            for written in (one for one in ast.walk(made) if isinstance(one, ast.Dict)):
                for key, inner in zip(written.keys, written.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value, inner


def _data_keys(view: FileView, function: Block, *, known: bool = False) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
    for use in keyed(view, function):
        yield use.node, use.key, True
    for call in function.nodes(ast.Call):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if _DATA.match(name) and name != "get":
            for value in (*call.args, *(one.value for one in call.keywords)):
                # `orders.find({"user_id": query.user_id})`
                for part in bound(value):
                    if not isinstance(part, ast.Constant):
                        yield call, part, False
        elif known and _asks_held(view, call, function):
            yield call, call.args[0], False


def _asks_held(view: FileView, call: ast.Call, function: Block) -> bool:
    """Whether a part of the application is asked for what is an argument's: `self.ledger.balance(account_id)`."""
    if not isinstance(call.func, ast.Attribute) or len(call.args) != 1 or call.keywords:
        return False
    access = view.access(call.func.value, function)
    held = (access.kind == "self" and len(access.steps) == 1) or (access.kind == "global" and "." in access.name)
    is_module = isinstance(call.func.value, ast.Name) and all(
        one.kind == "import" for one in (function.scope.lookup(call.func.value.id) or ("", ()))[1]
    )
    used = not isinstance(view.module.parent(call), ast.Expr | ast.BoolOp | ast.UnaryOp | ast.If)
    return held and not is_module and used and call.func.attr.islower() and not COMPARES.search(call.func.attr)


def _is_identity(name: str) -> bool:
    # Of `email` nobody knows whose it is.
    return names_user(name) and name not in _NAMES_NOBODY and ("email" not in name or name == "user_email")


def _is_identity_then(view: FileView, choice: ast.expr, function: Block) -> bool:
    """Whether the chosen value is then who the caller is: by the name it gets, or by what is made of it."""
    parent = view.module.parent(choice)
    if isinstance(parent, ast.keyword):
        return parent.arg is not None and names_user(parent.arg)
    if isinstance(parent, ast.Call) and choice in parent.args:
        return _MAKES_USER.search(ast.unparse(parent.func)) is not None
    if isinstance(parent, ast.Return):
        return _MAKES_USER.search(function.name) is not None
    if not isinstance(parent, ast.Assign) or not isinstance(parent.targets[0], ast.Name | ast.Attribute):
        return False
    target = parent.targets[0]
    name = target.id if isinstance(target, ast.Name) else target.attr
    if names_user(name):
        return True
    if isinstance(target, ast.Attribute):
        return False
    calls = (call for call in function.nodes(ast.Call) if _MAKES_USER.search(ast.unparse(call.func)))
    handed = (value for call in calls for value in (*call.args, *(one.value for one in call.keywords)))
    return any(isinstance(value, ast.Name) and value.id == name for value in handed) or any(
        isinstance(use.key, ast.Name) and use.key.id == name for use in keyed(view, function)
    )
