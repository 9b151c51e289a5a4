"""A request hangs a callback of its own on an object that all requests use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.conditions import (
    AnyOf,
    ChangesObject,
    Condition,
    HasBase,
    MutableGlobal,
    Not,
    OfLibrary,
    SharedClass,
    SharedObject,
)
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_TYPES
from carrel.audit.held import given_value
from carrel.audit.origins import called_name, identities, is_request_name, parameters_in
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sharing import reached
from carrel.audit.taint import is_identity_like
from carrel.findings import RuleInfo

__all__ = ["CallbacksPileUp"]

_HOOKS: Final = re.compile(r"^_?(?:\w+_)?(?:callbacks?|handlers|hooks|listeners|observers|subscribers|receivers)$")
_CALLED_BACK: Final = re.compile(r"callback|handler|hook|listener|observer|subscriber|receiver|tracer|collector")
_ADDS: Final = re.compile(r"^(?:append|insert|add|extend|register|connect|subscribe)$")
_REGISTERS: Final = re.compile(
    r"^(?:add_?(?:callback|handler|listener|hook|observer|subscriber)|addHandler|connect|subscribe|"
    r"register_(?:callback|handler|listener|hook)|on_event)$"
)
_EMITTERS: Final = ("EventEmitter", "AsyncIOEventEmitter", "AsyncEventEmitter", "ExecutorEventEmitter", "Emitter",
                    "BaseEventEmitter", "TrioEventEmitter", "Signal", "Observable", "Subject",
                    "EventDispatcher")  # fmt: skip
"""Classes of libraries whose objects call whoever listens to them."""
_LISTENS: Final = re.compile(r"^on(?:_[a-z_]+)?$")
"""Names of methods that may take a listener, where they change their object."""
_WORKS: Final = re.compile(
    r"^_?(?:a?put|submit|spawn|start|run|call|exec|schedul|enqueue|defer|create_task|add_(?:task|job)|map|filter|sort|apply|"
    r"retry|get|set|with|wait|send|post|reduce|group|transaction|cached?|memoi[sz]e|compute|atomic|dispatch|do|patch)"
)
"""Methods that are handed a function to call it once; any other that changes its object may keep a listener."""
_RUNS: Final = re.compile(r"^a?_?(?:invoke|run|stream|generate|call|chat|ask|predict|complete|execute)")
_REMOVES: Final = re.compile(r"^(?:remove|disconnect|unsubscribe|off|discard|unregister|pop|clear|dispose|detach|stop)")
_TAKES_OFF: Final = frozenset({"unsubscribe", "dispose", "disconnect", "unregister", "detach"})
_HEARS: Final = re.compile(
    r"^_?(?:put|append|add|extend|update|set|push|send|write|emit|feed|record|collect|note|save|store|take|receive|hear|"
    r"listen|handle|process|notify|call|capture|track|log|on)(?:$|_)|_(?:callback|handler|hook|listener|observer)$|^__call__$"
)
"""Names of methods that are told something."""
_SETUP: Final = re.compile(
    r"^_?(?:set_?up|init|configure|register|install|create|make|build|main|lifespan|startup|on_start|enable|attach|"
    r"instrument|get_\w*logger|ready|connect|start|upgrade|migrat)"
)


class CallbacksPileUp:
    """`get_agent().callbacks.append(Collector(words))` for each request."""

    info = RuleInfo(
        rule="callbacks-pile-up",
        code="CAR029",
        severity="error",
        title="Each request hangs its own callback on a shared object",
        why="The object calls every callback that was ever hung on it, so the callback of one user's request hears "
        "what is done for other users.",
        fix="Pass the callback with the call (`run(..., callbacks=[...])`), or hang it on an object of the request.",
        page=rule_page("callbacks-pile-up"),
        leak_classes=(29,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            sets_up = _SETUP.match(function.name) and view.entry_point(function) is None
            if function.is_initializer or sets_up:
                continue
            for call in function.nodes(ast.Call):
                if isinstance(call.func, ast.Attribute) and call.args:
                    hung = _hung(view, call, function, call.args[-1])
                    if hung is not None and _is_of_this_call(view, hung[1], function):
                        yield from self._candidate(view, call, hung[0], hung[1], function)
                    elif hung is not None and _is_for_this_run(view, call, hung[1], function):
                        yield from self._handed(view, call, hung[0], hung[1], function)
            for call, callback in _decorated(view, function):
                hung = _hung(view, call, function, callback)
                if hung is not None and isinstance(call.func, ast.Attribute):
                    yield from self._candidate(view, call, hung[0], callback, function)

    def _candidate(
        self, view: FileView, call: ast.Call, holder: ast.expr, callback: ast.expr, function: Block
    ) -> Iterator[Candidate]:
        given = _shared(view, holder, function)
        if isinstance(call.func, ast.Attribute) and not _REGISTERS.match(call.func.attr) and given is not None:
            put = _ADDS.match(call.func.attr) is not None
            changes = ChangesObject(view.path(call.func, function)), HasBase(view.path(holder, function), _EMITTERS)
            given = given if put else (*given, AnyOf(changes))
        if given is None or (not _is_logger(view, holder, function) and _is_taken_off(function, call, callback)):
            return
        # `with signal.connected_to(hear):` listens as long as it lasts.
        if _is_handle_kept(view, call) or isinstance(view.module.parent(call), ast.withitem):
            return
        message = (
            f"`{function.name}` hangs `{ast.unparse(callback)}` on `{ast.unparse(holder)}`, which every request uses"
        )
        served = reached(view, function)
        told = any(identities(view, one, function) for one in _inside(view, callback, function))
        asked = told or any(is_identity_like(name) for name in _given(view, function))
        access = view.access(holder, function)
        elsewhere = (Not(OfLibrary(access.name)),) if access.kind == "global" and not access.steps else ()
        owned = (Grade("warning", elsewhere),) if asked else ()
        grades = (Grade("error", served), *owned, Grade("info"))
        yield view.candidate(self.info, call, message, block=function, given=given, grades=grades)

    def _handed(
        self, view: FileView, call: ast.Call, holder: ast.expr, callback: ast.expr, function: Block
    ) -> Iterator[Candidate]:
        """`self.model.callbacks.append(handler)`, and then the run that the handler is for."""
        owner = view.access(holder, function).own_class
        given = (SharedClass(owner.symbol),) if owner is not None else _shared(view, holder, function)
        if given is None or _is_taken_off(function, call, callback):
            return
        message = f"`{function.name}` hangs `{ast.unparse(callback)}` on `{ast.unparse(holder)}` for one run of many"
        yield view.candidate(self.info, call, message, block=function, given=given,
                             grades=(Grade("error", reached(view, function)), Grade("info")))  # fmt: skip


def _is_for_this_run(view: FileView, call: ast.Call, callback: ast.expr, function: Block) -> bool:
    """Whether a function hangs its argument on what its object, or the module, holds, and then has that run."""
    held = call.func.value if isinstance(call.func, ast.Attribute) else None
    if not isinstance(callback, ast.Name) or function.parameter(callback.id) is None or held is None:
        return False
    access = view.access(held, function)
    is_global = access.kind == "global"
    if not isinstance(held, ast.Attribute) or (len(access.steps) < 2 and not is_global):
        return False
    run = ast.unparse(held.value) if is_global else ""
    return any(
        isinstance(one.func, ast.Attribute)
        and _RUNS.match(one.func.attr) is not None
        and one.lineno > call.lineno
        and (not run or ast.unparse(one.func.value) == run)
        for one in function.nodes(ast.Call)
    )


def _given(view: FileView, function: Block) -> list[str]:
    """What the function is handed, and what its object was made with: `Run(user_id)`."""
    methods = view.methods(function.class_) if function.class_ is not None else ()
    initializers = [one for one in methods if one.is_initializer]
    return [parameter.name for one in (function, *initializers) for parameter in one.parameters]


def _decorated(view: FileView, function: Block) -> Iterator[tuple[ast.Call, ast.expr]]:
    """The decorators that take a function which is made here, `@importer.on("row")`, each with the function's name."""
    for inner in view.functions:
        for decorator in inner.decorators if inner.parent is function else ():
            if decorator.call is not None:
                yield decorator.call, ast.Name(inner.name, ast.Load())


def _hung(view: FileView, call: ast.Call, function: Block, callback: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """What the callback is hung on, and the callback."""
    if not isinstance(call.func, ast.Attribute):
        return None
    holder = call.func.value
    name = call.func.attr
    if _ADDS.match(name) and isinstance(holder, ast.Attribute) and _HOOKS.match(holder.attr):
        return holder.value, callback
    is_function = _is_function(callback, function) or _is_way_back(view, callback, function)
    listens = _LISTENS.match(name) or (is_function and not _WORKS.search(name))
    if listens or _REGISTERS.match(name):
        return holder, callback
    return None


def _is_way_back(view: FileView, callback: ast.expr, function: Block) -> bool:
    """Whether it sends to the client of this call: `socket.send_text`."""
    root = callback.value if isinstance(callback, ast.Attribute) else None
    parameter = function.parameter(root.id) if isinstance(root, ast.Name) else None
    name = callback.attr if isinstance(callback, ast.Attribute) else ""
    return parameter is not None and name.startswith(("send", "write", "reply")) and (
        view.annotation_name(parameter.annotation) in REQUEST_TYPES or is_request_name(parameter.name)
    )  # fmt: skip


def _is_function(callback: ast.expr, function: Block) -> bool:
    """Whether it is a function that is defined in this one."""
    bindings = function.scope.bindings.get(callback.id, ()) if isinstance(callback, ast.Name) else ()
    return isinstance(callback, ast.Lambda) or any(one.kind == "function" for one in bindings)


def _is_of_this_call(view: FileView, callback: ast.expr, function: Block) -> bool:
    """Whether the callback is made in this call and knows something of it; one that is only handed on is not."""
    if isinstance(callback, ast.Lambda):
        return True
    if isinstance(callback, ast.Attribute) and isinstance(callback.value, ast.Name):
        # `queue.put`, of a queue that is made here; `experiment.channel` is only what it has.
        bindings = function.scope.bindings.get(callback.value.id, ())
        made = _HEARS.match(callback.attr) and any(_is_made_object(one.value) for one in bindings)
        return _is_way_back(view, callback, function) or bool(made)
    if not isinstance(callback, ast.Name):
        return _is_made_callable(view, callback, function)
    bindings = function.scope.bindings.get(callback.id, ())
    if any(binding.kind == "loop" for binding in bindings):
        return False  # one of many that were there already
    for binding in bindings:
        if binding.kind == "function":
            return True
        if _is_made_callable(view, binding.value, function):
            return True
        if _is_made_object(binding.value) and _is_asked(view, callback.id, function):
            return True
    return False


def _is_asked(view: FileView, name: str, function: Block) -> bool:
    """Whether the function asks the object afterwards what it has heard, `recorder.events()`, and uses the answer."""
    for node in function.nodes(ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == name:
            call = view.module.parent(node)
            asked = view.module.parent(call) if isinstance(call, ast.Call) and call.func is node else call
            if not isinstance(asked, ast.Expr):
                return True
    return False


def _is_made_callable(view: FileView, made: ast.expr | None, function: Block) -> bool:
    """Whether it is an object or a function made for this call, `Collector(words)`, and not a key or a number."""
    if not isinstance(made, ast.Call):
        return False
    name = called_name(made).lstrip("_")
    makes = name[:1].isupper() or name == "partial" or _CALLED_BACK.search(name) is not None
    return makes and (
        bool(parameters_in(view, made, function))
        or _is_of_request(view, made, function)
        or (_handles_one(view, function) and any(ast.unparse(one) == function.receiver for one in made.args))
        or any(_is_made_here(one, function) for one in (*made.args, *(each.value for each in made.keywords)))
    )


def _handles_one(view: FileView, function: Block) -> bool:
    """Whether it is a method of what Tornado makes for one request, or for one connection."""
    owner = function.class_
    return owner is not None and any(path.startswith("tornado.") for path in view.base_paths(owner))


def _is_made_here(handed: ast.expr, function: Block) -> bool:
    """Whether it is a local that the function made for this call: a queue, a list of words."""
    made = function.scope.bindings.get(handed.id, ()) if isinstance(handed, ast.Name) else ()
    return any(isinstance(one.value, ast.List) or _is_made_object(one.value) for one in made)


def _is_made_object(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and called_name(node)[:1].isupper()


def _is_of_request(view: FileView, made: ast.Call, function: Block) -> bool:
    taint = view.taint(made, function)
    return taint is not None and taint.by == "request"


def _shared(view: FileView, holder: ast.expr, function: Block) -> tuple[Condition, ...] | None:
    if _is_logger(view, holder, function):
        return ()
    access = view.access(holder, function)
    if access.kind == "parameter" and access.steps[:1] == ("app",) and len(access.steps) > 1:
        return ()  # `request.app["agent"]`
    if access.kind == "self" or not access.path or access.kind not in ("global", "class"):
        return None
    if "()" in access.steps or "[]" in access.steps:
        return (SharedObject(access.path),)
    if not access.name:
        return None
    return (AnyOf((SharedObject(access.path), MutableGlobal(access.name), OfLibrary(access.name))),)


def _is_logger(view: FileView, holder: ast.expr, function: Block) -> bool:
    """Whether it is a logger that goes by a name that every call gives: `getLogger("agent.run")`."""
    values = [holder, given_value(view, holder)]
    if isinstance(holder, ast.Name):
        values += [one.value for one in function.scope.bindings.get(holder.id, ()) if one.value is not None]
    return any(
        isinstance(one, ast.Call) and view.dotted(one.func) == "logging.getLogger"
        and all(isinstance(argument, ast.Constant) for argument in one.args)
        for one in values
    )  # fmt: skip


def _is_taken_off(function: Block, hung: ast.Call, callback: ast.expr) -> bool:
    """Whether the function, or one that is defined in it, lets go of the callback again, or of what it is kept under:
    `hub.register(connection_id, send)` and then `hub.unregister(connection_id)`.
    """
    texts = {ast.unparse(callback)}
    holder = ast.unparse(hung.func.value) if isinstance(hung.func, ast.Attribute) else ""
    keys = {ast.unparse(one) for one in hung.args[:-1] if not isinstance(one, ast.Constant)}
    for call in ast.walk(function.node):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        names = texts | keys if ast.unparse(call.func.value) == holder else texts
        if _REMOVES.match(call.func.attr) and (
            not call.args or not names.isdisjoint(ast.unparse(one) for one in call.args)
        ):
            return True
    return False


def _is_handle_kept(view: FileView, call: ast.Call) -> bool:
    """Whether the caller gets something by which the file takes the callback off: `self.sub.unsubscribe()`,
    `bus.detach(handle)`."""
    around = view.module.parent(call)
    around = view.module.parent(around) if isinstance(around, ast.Await) else around
    handles = {ast.unparse(one) for one in getattr(around, "targets", ())}
    return not isinstance(around, ast.Expr) and any(
        isinstance(one.func, ast.Attribute)
        and one.func.attr in _TAKES_OFF
        and (not one.args or not handles.isdisjoint(map(ast.unparse, one.args)))
        for block in view.functions
        for one in block.nodes(ast.Call)
    )


def _inside(view: FileView, callback: ast.expr, function: Block) -> list[ast.expr]:
    """The callback, or the expressions in the function that it names."""
    if not isinstance(callback, ast.Name):
        return [callback]
    for block in view.functions:
        if block.parent is function and block.name == callback.id:
            return list(block.nodes(ast.Attribute, ast.Name))
    return [callback]
