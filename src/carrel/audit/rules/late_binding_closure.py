"""A function made in a loop that reads the loop's variable later, when it is another user's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.callers import names_user
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name, identities
from carrel.audit.persons import says_of_person
from carrel.audit.rule import Candidate, rule_page
from carrel.audit.taint import is_identity_like
from carrel.audit.through import called_here
from carrel.findings import RuleInfo, Severity

__all__ = ["LateBindingClosure"]

Loop = ast.For | ast.AsyncFor | ast.While
Made = ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef
_KEPT: Final = frozenset({"append", "add", "appendleft", "insert", "extend", "put", "put_nowait", "create_task",
                          "start_soon", "ensure_future", "submit", "call_later", "call_soon", "add_job", "add_task",
                          "add_done_callback", "connect", "subscribe", "Thread", "Timer", "Tool", "setdefault",
                          "partial", "run_in_executor", "schedule"})  # fmt: skip
"""What keeps a function, or runs it when the loop has gone on."""
_LEVELS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
_WAITS: Final = frozenset({"join", "result", "wait", "as_completed"})
_REGISTERS: Final = re.compile(
    r"^(?:add(?!_(?:column|field|index|row|constraint|argument|option))|register|schedule|enqueue|defer|subscribe|every|"
    r"daily|hourly|run_later|on)_"
)
"""What a helper is called that does so, where nothing is done with what it gives; a table is changed at once."""
_PUTS: Final = frozenset({"append", "add", "put_nowait", "insert"})
_TAKES: Final = frozenset({"get", "get_nowait", "popleft", "recv", "receive", "accept"})
"""Methods without arguments that give the next one of what many have put somewhere."""


class LateBindingClosure:
    """`jobs.append(lambda: send(user_id))` in `for user_id in users`."""

    info = RuleInfo(
        rule="late-binding-closure",
        code="CAR030",
        severity="error",
        title="A function made in a loop reads the loop's variable when it is called",
        why="The function sees the variable, not the value it had. When it runs, the loop has gone on, and it works "
        "with the last user's data.",
        fix="Hand the value over when the function is made: `functools.partial`, an argument, or `value=value`.",
        page=rule_page("late-binding-closure"),
        leak_classes=(30,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for block in view.blocks:
            yield from self._comprehended(view, block)
            for made in (*block.nodes(ast.Lambda), *block.nodes(ast.FunctionDef, ast.AsyncFunctionDef)):
                loop = _loop(view, made)
                if loop is None or not _outlasts(view, made, loop):
                    continue
                captured = _captured(made, _bound(loop) - _of_one_round(loop))
                if captured:
                    users = [name for name in _targets(loop) if is_identity_like(name)]
                    told = (
                        users
                        or (not isinstance(loop, ast.While) and identities(view, loop.iter, block))
                        or [one for one in captured if is_identity_like(one)]
                        or _of_somebody(loop.body, [*captured, *_made_of(loop, captured)])
                    )
                    # What the body binds may be the same in each round; what the loop goes through, and what is made
                    # of that alone, is not.
                    differing = [one for one in captured if one in _targets(loop) or _is_written_of(loop, one)]
                    read = (differing or captured)[0]
                    message = f"the function made here reads `{read}` only when it is called, after the loop went on"
                    # Who is handed one by a generator may call it before the next round.
                    is_handed = any(isinstance(one, ast.Yield) for part in loop.body for one in ast.walk(part))
                    severity: Severity = "error" if told else "warning" if differing and not is_handed else "info"
                    bound = view.location(_rounds(loop), "bound anew in each round")
                    yield view.candidate(self.info, made, message, block=block, severity=severity, related=(bound,))

    def _comprehended(self, view: FileView, block: Block) -> Iterator[Candidate]:
        """`[lambda: send(user.email) for user in users]`: all of them read the last user."""
        for many in block.nodes(ast.ListComp, ast.DictComp):
            element = many.value if isinstance(many, ast.DictComp) else many.elt
            handed = [*element.args, *(one.value for one in element.keywords)] if isinstance(element, ast.Call) else []
            is_kept = isinstance(element, ast.Call) and (
                called_name(element) in _KEPT or called_name(element)[:1].isupper()
            )
            targets = [one.id for each in many.generators for one in ast.walk(each.target) if isinstance(one, ast.Name)]
            for made in (element, *(handed if is_kept else ())):
                captured = _captured(made, set(targets)) if isinstance(made, ast.Lambda) else []
                if captured:
                    told = (
                        any(map(is_identity_like, targets))
                        or identities(view, many.generators[0].iter, block)
                        or _of_somebody((many,), captured)
                    )
                    message = (
                        f"the function made here reads `{captured[0]}` only when it is called, when it is the last"
                    )
                    yield view.candidate(self.info, made, message, block=block,
                                         severity="error" if told else "warning")  # fmt: skip


def _loop(view: FileView, made: Made) -> Loop | None:
    for around in view.ancestors(made):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            return None
        if isinstance(around, ast.For | ast.AsyncFor) or (isinstance(around, ast.While) and _targets(around)):
            return around
    return None


def _rounds(loop: Loop) -> ast.expr:
    return loop.test if isinstance(loop, ast.While) else loop.target


def _targets(loop: Loop) -> list[str]:
    """The variables of the loop; of a `while` those for what each round takes: `job = await queue.get()`."""
    if not isinstance(loop, ast.While):
        return [one.id for one in ast.walk(loop.target) if isinstance(one, ast.Name)]
    taken = [target for one in loop.body if isinstance(one, ast.Assign) and _takes(one.value) for target in one.targets]
    return [one.id for target in taken for one in ast.walk(target) if isinstance(one, ast.Name)]


def _takes(value: ast.expr) -> bool:
    call = value.value if isinstance(value, ast.Await) else value
    return isinstance(call, ast.Call) and called_name(call) in _TAKES and not (call.args or call.keywords)


def _bound(loop: Loop) -> set[str]:
    """The names that each round binds anew."""
    return {one.id for one in _stored(loop.body)} | set(_targets(loop))


def _of_one_round(loop: Loop) -> set[str]:
    """The names that only the round of one constant binds: `if agent["name"] == "proxy": proxy = start(agent)`."""
    branches = [one for part in loop.body for one in ast.walk(part) if isinstance(one, ast.If)]
    of_one = {name for one in branches if _is_for_one(one.test) for name in _stored(one.body)}
    return {one.id for one in of_one} - {one.id for one in _stored(loop.body) if one not in of_one}


def _is_for_one(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq) and isinstance(
        test.comparators[0], ast.Constant
    )  # fmt: skip


def _stored(body: Sequence[ast.stmt]) -> Iterator[ast.Name]:
    for statement in body:
        for one in ast.walk(statement):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                yield one


def _made_of(loop: Loop, names: list[str]) -> list[str]:
    """What the loop goes through, where the body makes one of the names of it: `summary = holdings(investor)`."""
    for assign in (one for part in loop.body for one in ast.walk(part) if isinstance(one, ast.Assign)):
        if any(isinstance(one, ast.Name) and one.id in names for one in assign.targets):
            read = {one.id for one in ast.walk(assign.value) if isinstance(one, ast.Name)}
            if found := [one for one in _targets(loop) if one in read]:
                return found
    return []


def _is_written_of(loop: Loop, name: str) -> bool:
    """Whether the body writes down a text, a dictionary or the like of what the loop goes through: `f"Dear {who}"`."""
    written = [
        one.value for part in loop.body for one in ast.walk(part)
        if isinstance(one, ast.Assign) and any(isinstance(each, ast.Name) and each.id == name for each in one.targets)
    ]  # fmt: skip
    targets = set(_targets(loop))
    return bool(written) and all(
        isinstance(one, ast.JoinedStr | ast.Dict | ast.List | ast.Tuple)
        and any(isinstance(part, ast.Name) and part.id in targets for part in ast.walk(one))
        for one in written
    )


def _captured(made: Made, names: set[str]) -> list[str]:
    arguments = made.args
    own = {one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    own |= {one.arg for one in (arguments.vararg, arguments.kwarg) if one is not None}
    body = made.body if isinstance(made.body, list) else [made.body]
    loads: dict[str, None] = {}
    everything = [inner for statement in body for inner in ast.walk(statement)]
    # A wrong number in the log is nobody's data.
    logged = {inner for one in everything if isinstance(one, ast.Call) and _logs(one) for inner in ast.walk(one)}
    for one in everything:
        if one in logged:
            continue
        if isinstance(one, ast.Name):
            if isinstance(one.ctx, ast.Load):
                loads[one.id] = None
            else:
                own.add(one.id)
        elif isinstance(one, ast.arg):
            own.add(one.arg)
    return [name for name in loads if name in names - own]


def _logs(call: ast.Call) -> bool:
    """Whether it writes to a log: `self.logger.info(…)`."""
    return called_name(call) in _LEVELS and "log" in ast.unparse(call.func).rpartition(".")[0].lower()


def _of_somebody(places: Sequence[ast.AST], captured: list[str]) -> list[str]:
    """What is read there of the captured variables that says whose they are: `row.account_id`, `visit.phone`."""
    return [
        ast.unparse(one) for place in places for one in ast.walk(place)
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id in captured
        and (names_user(one.attr) or says_of_person(one.attr))
    ]  # fmt: skip


def _outlasts(view: FileView, made: Made, loop: Loop) -> bool:
    """Whether the function is kept beyond its round, or runs beside it."""
    if any(isinstance(one, ast.Return | ast.Break) and view.module.parent(one) is loop for one in ast.walk(loop)):
        return False
    if _is_last_round(view, made, loop):
        return False
    if isinstance(made, ast.Lambda):
        return _is_kept(view, made, loop)
    uses = [one for statement in loop.body for one in ast.walk(statement)
            if isinstance(one, ast.Name) and one.id == made.name and isinstance(one.ctx, ast.Load)]  # fmt: skip
    return any(_is_kept(view, one, loop) for one in uses)


def _is_last_round(view: FileView, made: Made, loop: Loop) -> bool:
    """Whether the loop ends where the function was made: `if fits(key): self.get = lambda: read(key); break`."""
    child: ast.AST = made
    for around in view.ancestors(made):
        if around is loop:
            return False
        for body in (getattr(around, "body", ()), getattr(around, "orelse", ())):
            if isinstance(body, list) and child in body:
                after = body[body.index(child) :]
                if any(isinstance(one, ast.Break | ast.Return | ast.Raise) for one in after):
                    return True
        child = around
    return False


def _is_kept(view: FileView, node: ast.AST, loop: Loop) -> bool:
    child = node
    for around in view.ancestors(node):
        if around is loop:
            return False
        if isinstance(around, ast.Await):
            return False
        if isinstance(around, ast.Call) and child is not around.func:
            name = around.func.attr if isinstance(around.func, ast.Attribute) else getattr(around.func, "id", "")
            # What is handed to anything else (`sorted(..., key=...)`) is used up there.
            puts_aside = _REGISTERS.match(name) is not None and isinstance(view.module.parent(around), ast.Expr)
            if (name == "on_commit" and _commits(view, around, loop)) or _is_forked(view, around, loop):
                return False
            if name in _KEPT or not _is_part(view, child, around):
                return (name in _KEPT or puts_aside) and not _is_awaited_inside(view, around, loop)
        elif isinstance(around, ast.Call) and not _is_deferred(view, node):
            return False
        if isinstance(around, ast.Assign) and child is around.value:
            stays = any(_stays(view, target, around, loop) for target in around.targets)
            return stays or any(_is_kept(view, one, loop) for one in _uses(view, around, loop))
        if isinstance(around, ast.AugAssign) and isinstance(around.target, ast.Name):
            # `jobs += [Job(lambda: send(user))]`, of a list that was there before the loop.
            return not any(isinstance(one, ast.Assign | ast.AnnAssign) and around.target.id in ast.unparse(one)
                           for one in loop.body)  # fmt: skip
        if isinstance(around, ast.Yield):
            return True
        child = around
    return False


def _is_forked(view: FileView, call: ast.Call, loop: Loop) -> bool:
    """Whether it is what a process runs that the round starts: the fork has the variables as they are."""
    around = view.module.parent(call)
    made = [call, *(around.targets if isinstance(around, ast.Assign) else ())]
    texts = {ast.unparse(one) for one in made} if called_name(call) == "Process" else set()
    started = (one.func for part in loop.body for one in ast.walk(part) if texts and isinstance(one, ast.Call))
    return any(isinstance(one, ast.Attribute) and one.attr == "start" and ast.unparse(one.value) in texts
               for one in started)  # fmt: skip


def _commits(view: FileView, call: ast.Call, loop: Loop) -> bool:
    """Whether the round has a transaction of its own, at the end of which the function runs."""
    return any(
        isinstance(around, ast.With | ast.AsyncWith)
        and any("atomic" in ast.unparse(item.context_expr) for item in around.items)
        for around in takewhile(lambda one: one is not loop, view.ancestors(call))
    )


def _uses(view: FileView, assign: ast.Assign, loop: Loop) -> Iterator[ast.Name]:
    """Where the round goes on with what it has just given a name, as a whole."""
    names = {one.id for one in assign.targets if isinstance(one, ast.Name)}
    last = assign.end_lineno or assign.lineno
    for one in (inner for statement in loop.body for inner in ast.walk(statement)):
        if isinstance(one, ast.Name) and one.id in names and one.lineno > last:
            taken = isinstance(view.module.parent(one), ast.Attribute | ast.Subscript | ast.Compare)
            if isinstance(one.ctx, ast.Load) and not taken:
                yield one


def _is_part(view: FileView, node: ast.AST, call: ast.Call) -> bool:
    """Whether what the call gives has the node in it: an object, `Route("/", page)`, or a function around it."""
    root = call.func.value if isinstance(call.func, ast.Attribute) else None
    # `Tool.from_function(work)`
    by_class = (
        isinstance(root, ast.Name) and root.id[:1].isupper() and called_name(call).startswith(("from_", "create"))
    )
    is_made = called_name(call)[:1].isupper() or isinstance(call.func, ast.Call) or by_class
    return is_made or _is_wrapped(view, node, call)


def _is_wrapped(view: FileView, node: ast.AST, call: ast.Call) -> bool:
    """Whether a function of the file is handed the node and makes another one that calls it later."""
    helper = called_here(view, call)
    if helper is None:
        return False
    names = [one.name for one in helper.parameters]
    handed = [*zip(names, call.args, strict=False), *((one.arg, one) for one in call.keywords)]
    given = {name for name, one in handed if one is node}
    inner = (*(one.node for one in view.functions if one.parent is helper), *helper.nodes(ast.Lambda))
    return any(isinstance(one, ast.Name) and one.id in given for made in inner for one in ast.walk(made))


def _stays(view: FileView, target: ast.expr, assign: ast.Assign, loop: Loop) -> bool:
    """Whether it is there after the round: what each round replaces ends with the last one, which it was made for."""
    if not isinstance(target, ast.Subscript | ast.Attribute):
        return False
    if any(isinstance(one, ast.Name) and one.id in _bound(loop) for one in ast.walk(target)):
        return True
    for around in view.ancestors(assign):
        if around is loop:
            break
        if isinstance(around, ast.If | ast.Try | ast.Match):
            return True
    return False


def _is_deferred(view: FileView, node: ast.AST) -> bool:
    """Whether calling what the node names only makes a coroutine or a generator."""
    for block in view.functions:
        if isinstance(node, ast.Name) and block.name == node.id and (block.is_async or any(block.nodes(ast.Yield))):
            return True
    return False


def _is_awaited_inside(view: FileView, call: ast.Call, loop: Loop) -> bool:
    """Whether the round waits for what it started, or keeps it in something of its own."""
    names: set[str] = set()
    around = list(takewhile(lambda one: one is not loop, view.ancestors(call)))
    if any(isinstance(one, ast.Await) for one in around):
        return True
    statement = next((one for one in around if isinstance(one, ast.stmt)), None)
    if isinstance(statement, ast.Assign):
        names = {one.id for target in statement.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    # `pending.append(asyncio.create_task(…))`: nobody waits for a module.
    outer = statement.value if isinstance(statement, ast.Expr) else None
    keepers = {one for one in (_called_on(call), _called_on(outer)) if one and not view.imports(one)}
    inside = [one for part in loop.body for one in ast.walk(part)]
    own = {one.id for one in inside if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    if keepers & own and not any(_is_put_aside(view, one, own) for one in inside if getattr(one, "id", "") in keepers):
        return True
    for one in inside:
        waits = isinstance(one, ast.Await) or (isinstance(one, ast.Call) and called_name(one) in _WAITS)
        if waits and any(isinstance(name, ast.Name) and name.id in names | keepers for name in ast.walk(one)):
            return True
    return False


def _is_put_aside(view: FileView, node: ast.AST, own: set[str]) -> bool:
    """Whether the round puts its own object into something that was there before: `running.append(task)`."""
    call = view.module.parent(node)
    if not isinstance(call, ast.Call) or node not in call.args or called_name(call) not in _PUTS:
        return False
    return _called_on(call) not in ("", *own)


def _called_on(node: ast.expr | None) -> str:
    """The name whose method is called; empty for anything else."""
    receiver = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
    return receiver.id if isinstance(receiver, ast.Name) else ""
