"""A buffer of past events that replays everybody's to whoever comes back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.access import Access
from carrel.audit.admission import is_restricted
from carrel.audit.blocks import Block
from carrel.audit.callers import proven, prover
from carrel.audit.conditions import Condition, IdentityParameter, Reachable, SharedClass
from carrel.audit.data_conditions import SentParameter
from carrel.audit.fetches import Fetch
from carrel.audit.file_view import FileView
from carrel.audit.held import text_of
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name, is_fixed, leaves, parameters_in
from carrel.audit.owner_checks import asks_whose
from carrel.audit.owners import names_owner
from carrel.audit.persons import is_person, person_in
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sent import claimed, origins
from carrel.audit.tagged import statement
from carrel.audit.taint import is_identity_like
from carrel.findings import RuleInfo

__all__ = ["ReplayNotScoped"]

_REPLAYS: Final = re.compile(
    r"(?:^|_)(?:replay|resume|after|since|backlog|catch_?up|missed|recover|redeliver|history)(?:_|$)"
)
_AFTER: Final = re.compile(
    r"(?i)last[-_](?:event|seen|id|seq)|after_id|since|^resume(?:_|$)|^(?:after|cursor|from_seq)$"
)
_SCOPES: Final = re.compile(r"^(?:stream|channel|topic|room|group|conversation|connection)(?:_?(?:id|name|key))?$")
_STORE_PUTS: Final = frozenset({"xadd", "rpush", "lpush", "zadd"})
_SQL: Final = re.compile(r"(?i)^\s*(?:insert\s+into|select)\s")
_INSERTS: Final = re.compile(r"(?i)insert\s+into\s+(\w+)\s*\(([^)]*)\)")
_RESUMES: Final = re.compile(
    r"(?is)select\s.*\sfrom\s+(\w+)\s+where\s+(?:\w+\.)?"
    r"(?:(?:event_)?id|seq|seq_no|sequence|offset|position|number|serial)\s*>=?\s"
)
_STORE_READS: Final = frozenset({"xread", "xrange", "xrevrange", "lrange", "zrange", "zrangebyscore", "zrevrange"})
_RUN: Final = re.compile(r"^(?:run|job|stream|task|thread|session|conversation|chat|build|order|request|channel|topic|"
                         r"execution|workflow|id)(?:_?id)?$")  # fmt: skip
"""What the client names of which events are kept."""
_PUTS: Final = frozenset({"append", "appendleft", "insert"})


class ReplayNotScoped:
    """`[event for event in self._events if event.id > last]`, with the events of all users in `_events`."""

    info = RuleInfo(
        rule="replay-not-scoped",
        code="CAR034",
        severity="error",
        title="A replay hands out the events of all users",
        why="The events of all users lie in one buffer. A client that comes back after a broken connection is sent "
        "whatever is in it, also what was meant for others.",
        fix="Keep a buffer for each user or stream, or compare the owner of each event before it is sent.",
        page=rule_page("replay-not-scoped"),
        leak_classes=(34,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            yield from self._by_id(view, function)
            replays = _REPLAYS.search(function.name) is not None or _asks_after(function)
            for node, access in _reads(view, function):
                put, told = _put(view, access) if replays or _starts_at_parameter(node, function) else (None, ())
                if put is not None and not _compares(function, _scopes(function)):
                    yield self._candidate(view, node, access, function, put, told)
                    break
            if replays:
                yield from self._owned(view, function)
        yield from self._streams(view)
        yield from self._tables(view)

    def _by_id(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`log.since(message["run"], message["after"])`, where the function knows who is asking and never compares."""
        blocks = (function, *(one for one in view.functions if one.parent is function))
        for block, fetch in ((one, fetch) for one in blocks for fetch in _replayed(view, one, function)):
            caller = prover(view, function)
            # Where only a decorator says that somebody has signed in, what is replayed may know the user by itself.
            if not caller or is_restricted(view, function) or function.has_decorator(caller):
                return
            if asks_whose(view, function, fetch) or asks_whose(view, block, fetch):
                continue
            owned = names_owner(view, fetch, block)
            message = f"`{function.name}` replays what `{fetch.name}` of the request names, whoever `{caller}` is"
            yield view.candidate(self.info, fetch.node, message, block=function,
                                 severity="error" if owned else "warning")  # fmt: skip
            return

    def _owned(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`return self._streams[stream_id]["events"][offset:]`, where each stream has its owner beside its events."""
        values = [one.value for one in function.nodes(ast.Return) if one.value is not None]
        for value in (*values, *(one.iter for one in function.nodes(ast.For, ast.AsyncFor))):
            access = view.access(_without_slices(value), function)
            owner = access.own_class
            key = access.keys[0] if access.keys else None
            if owner is None or access.steps[1:2] != ("[]",) or not isinstance(key, ast.Name):
                continue
            put = _with_owner(view, owner, access.steps[0])
            if put is None or function.parameter(key.id) is None:
                continue
            if _compares(function, _scopes(function), besides=key.id):
                continue
            message = f"`{function.name}` gives what is under `{key.id}` in `{access.steps[0]}`, whoever asks for it"
            sent = (SharedClass(owner.symbol), SentParameter(function.symbol, key.id))
            yield view.candidate(self.info, value, message, block=function, grades=(Grade("error", sent),),
                                 related=(view.location(put.node, "its owner is put here"),))  # fmt: skip

    def _streams(self, view: FileView) -> Iterator[Candidate]:
        """`redis.xrange(STREAM, min=cursor)` of a stream into which another function puts what is somebody's."""
        calls = [
            (call, function)
            for function in view.functions
            for call in function.nodes(ast.Call)
            if call.args and called_name(call) in _STORE_PUTS | _STORE_READS
        ]
        puts = {
            ast.unparse(call.args[0]): call
            for call, function in calls
            if called_name(call) in _STORE_PUTS and is_fixed(view, call.args[0], function)
            and any(_is_somebodys(view, one, function) for one in call.args[1:])
        }  # fmt: skip
        for call, function in calls:
            put = puts.get(_stream(call)) if called_name(call) in _STORE_READS else None
            positions = call.args[0].values if isinstance(call.args[0], ast.Dict) else call.args[1:]
            rest = (*positions, *(one.value for one in call.keywords))
            from_somewhere = any(parameters_in(view, one, function) for one in rest)
            said = any((taint := view.taint(one, function)) is not None and taint.by == "request" for one in rest)
            named = _REPLAYS.search(function.name) or _scopes(function)
            if put is None or not (said or (from_somewhere and named)):
                continue
            if not _compares(function, _scopes(function)):
                message = f"`{function.name}` gives what is in `{_stream(call)}` without asking whose it is"
                yield view.candidate(self.info, call, message, block=function,
                                     grades=(Grade("error", (Reachable(function.symbol),)),),
                                     related=(view.location(put, "events of all users are put here"),))  # fmt: skip

    def _tables(self, view: FileView) -> Iterator[Candidate]:
        """`SELECT … FROM events WHERE id > ?`, where each event is put into the table with whose it is."""
        said = [
            (call, function, text)
            for function in view.functions
            for call in function.nodes(ast.Call)
            if call.args
            and (text := text_of(call.args[0]) or statement(view, call.args[0], function))
            and _SQL.search(text)
        ]
        puts = {
            found[1].lower(): (call, owners)
            for call, _, text in said
            if (found := _INSERTS.search(text))
            and (owners := [one for one in _words(found[2]) if _names_whose(one) or person_in(one)])
        }
        for call, function, text in said:
            found = _RESUMES.search(text)
            put, owners = puts.get(found[1].lower(), (None, [])) if found is not None else (None, [])
            if put is None or not set(_words(text)).isdisjoint(owners) or not parameters_in(view, call, function):
                continue
            message = f"`{function.name}` gives what is in the table `{found[1] if found else ''}`, whoever asks"
            yield view.candidate(self.info, call, message, block=function,
                                 grades=(Grade("error", (Reachable(function.symbol),)),),
                                 related=(view.location(put, "events of all users are put here"),))  # fmt: skip

    def _candidate(
        self, view: FileView, node: ast.AST, access: Access, function: Block, put: Mutation, told: tuple[Condition, ...]
    ) -> Candidate:
        name = access.steps[-1] if access.steps else access.name.rpartition(".")[2]
        message = f"`{function.name}` gives what is in `{name}` without asking whose it is"
        given = told
        if access.kind == "self" and function.class_ is not None:
            given = (*told, SharedClass(function.class_.symbol))
        return view.candidate(self.info, node, message, block=function, grades=(Grade("error", given), Grade("info")),
                              related=(view.location(put.node, "events of all users are put here"),))  # fmt: skip


def _stream(call: ast.Call) -> str:
    """The stream that is read, as text: also of `xread({STREAM: position})`."""
    first = call.args[0]
    keys = first.keys if isinstance(first, ast.Dict) else [first]
    return ast.unparse(keys[0]) if len(keys) == 1 and keys[0] is not None else ""


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _names_whose(column: str) -> bool:
    return is_identity_like(column) or _is_somebody(column)


def _starts_at_parameter(node: ast.AST, function: Block) -> bool:
    """Whether it is the rest from where a caller says: `self._turns[seen:]`."""
    start = node.slice.lower if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) else None
    return isinstance(start, ast.Name) and function.parameter(start.id) is not None


def _replayed(view: FileView, block: Block, function: Block) -> Iterator[Fetch]:
    """The events of one run or stream, where the client says which one."""
    for call in block.nodes(ast.Call):
        if not isinstance(call.func, ast.Attribute) or not _REPLAYS.search(called_name(call)) or not call.args:
            continue
        name = _named_by_client(view, call.args[0], function)
        if name and len(call.args) + len(call.keywords) > 1:
            yield Fetch(call, call.args[0], name, call.func.value)
    if _REPLAYS.search(function.name) or _asks_after(function):
        for item in block.nodes(ast.Subscript):
            access = view.access(item.value, block)
            name = _named_by_client(view, item.slice, function)
            if name and isinstance(item.ctx, ast.Load) and access.kind == "global" and not access.steps:
                yield Fetch(item, item.slice, name, item.value)
    yield from (one for one in _gone_on_with(view, block) if names_owner(view, one, block))


def _gone_on_with(view: FileView, block: Block) -> Iterator[Fetch]:
    """Of what the client names, the rest from where the client says: `channels.resume(name).frames[after:]`."""
    for rest in block.nodes(ast.Subscript):
        start = rest.slice.lower if isinstance(rest.slice, ast.Slice) else None
        root = rest.value
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if start is None or not isinstance(root, ast.Name | ast.Call) or not _is_sent(view, start, block):
            continue
        for made in origins(view, root, block):
            match made:
                case ast.Call(func=ast.Attribute(value=store), args=[key, *_]) | ast.Subscript(value=store, slice=key):
                    said = [claimed(view, one, block) for one in origins(view, key, block)]
                    if said and all(said):
                        yield Fetch(made, key, said[0], store)


def _is_sent(view: FileView, node: ast.expr, block: Block) -> bool:
    """Whether something in the expression is what the client sent."""
    return any(
        claimed(view, leaf, where) for leaf, where in leaves(view, node, block) if where.function is block.function
    )


def _named_by_client(view: FileView, node: ast.expr, function: Block) -> str:
    """The name under which the client sent the id of a run or a stream; empty when it is something else."""
    said = [claimed(view, one, function) for one in origins(view, node, function)]
    return said[0] if len(said) == 1 and _RUN.search(said[0].lower()) else ""


def _asks_after(function: Block) -> bool:
    if any(_AFTER.search(one.name) for one in function.parameters):
        return True
    asked = (call.args[0] for call in function.nodes(ast.Call) if called_name(call) == "get" and call.args)
    return any(isinstance(one, ast.Constant) and _AFTER.search(str(one.value)) for one in asked)


def _scopes(function: Block) -> set[str]:
    """The parameters that say for whom: `user_id`, `stream_id`."""
    names = [one.name for one in function.parameters]
    return {one for one in names if is_identity_like(one) or _SCOPES.match(one) or _is_somebody(one)}


def _is_somebody(name: str) -> bool:
    """Whether it is somebody or a number of theirs, by whatever word the application has: `claimant`, `learner_no`."""
    person = person_in(name)
    return bool(person) and (name != person or is_person(name))


def _is_somebodys(view: FileView, value: ast.expr, function: Block) -> bool:
    """Whether a value is made of what says for whom it is, or of the one who has signed in."""
    return not _scopes(function).isdisjoint(parameters_in(view, value, function)) or proven(view, value, function)


def _says_whose(view: FileView, value: ast.expr, function: Block) -> bool:
    """Whether what is put aside says whose it is: `{"tenant": session["tenant"], "text": text}`."""
    return any(
        isinstance(key, ast.Constant) and isinstance(key.value, str) and _names_whose(key.value)
        and not isinstance(each, ast.Constant)
        for one in origins(view, value, function) if isinstance(one, ast.Dict)
        for key, each in zip(one.keys, one.values, strict=True)
    )  # fmt: skip


def _reads(view: FileView, function: Block) -> Iterator[tuple[ast.AST, Access]]:
    """The containers that the function, or one inside it, goes through from some point on."""
    for block in (function, *(one for one in view.functions if one.parent is function)):
        sources: list[ast.expr] = [one.iter for one in block.nodes(ast.For, ast.AsyncFor)]
        sources += [one.iter for one in block.nodes(ast.comprehension)]
        sources += [one.value for one in block.nodes(ast.Return) if isinstance(one.value, ast.Subscript)]
        for source in sources:
            # `missed = log[since:]`, and then `for one in missed:`
            whole = _without_slices(next(origins(view, source, block), source))
            access = view.access(whole, block)
            if (access.kind == "self" and len(access.steps) == 1) or (access.kind == "global" and not access.steps):
                yield source, access


def _without_slices(node: ast.expr) -> ast.expr:
    while True:
        match node:
            case ast.Subscript() if isinstance(node.slice, ast.Slice):
                node = node.value
            case ast.Call() if (
                isinstance(node.func, ast.Name)
                and node.func.id in ("list", "tuple", "reversed", "sorted", "enumerate", "iter")
                and node.args
            ):
                node = node.args[0]
            case _:
                return node


def _put(view: FileView, access: Access) -> tuple[Mutation | None, tuple[Condition, ...]]:
    """Where somebody's event is put into the container, next to everybody else's, with what must hold for that."""
    for mutation in view.mutations:
        if mutation.kind != "method" or mutation.name not in _PUTS:
            continue
        told: tuple[Condition, ...] = ()
        if not _scopes(mutation.block) and not any(_says_whose(view, one, mutation.block) for one in mutation.values):
            # `driver` may be a part of the program: the calls tell.
            persons = [one.name for one in mutation.block.parameters if person_in(one.name)]
            if not persons:
                continue
            told = (IdentityParameter(mutation.block.symbol, persons[0]),)
        for other in mutation.accesses:
            if other.kind == access.kind and other.steps == access.steps and other.name == access.name:
                if access.kind == "self" and _owner(other) is not _owner(access):
                    continue
                return mutation, told
    return None, ()


def _with_owner(view: FileView, owner: Block, name: str) -> Mutation | None:
    """Where an object puts something with its owner under a key: `self._streams[number] = {"owner": owner, …}`."""
    for mutation in view.mutations:
        held = any(one.own_class is owner and one.steps == (name,) for one in mutation.accesses)
        if held and mutation.kind == "item" and any(_says_whose(view, one, mutation.block) for one in mutation.values):
            return mutation
    return None


def _owner(access: Access) -> Block | None:
    return access.block.class_ if access.block is not None else None


def _named(node: ast.AST) -> str:
    """The name, the attribute or the key that it is: `rider` of `event["rider"]`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            return name
    return ""


def _compares(function: Block, scopes: set[str], besides: str = "") -> bool:
    """Whether some comparison in the function, or a call that selects, is about for whom the events are."""
    for node in ast.walk(function.node):
        if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot):
            for one in ast.walk(node):
                name = _named(one)
                if name == besides:
                    continue
                if name in scopes or is_identity_like(name) or _SCOPES.match(name) or person_in(name):
                    return True
    return False
