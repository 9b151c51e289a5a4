"""A kept buffer that shows what was in it before."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.conditions import Condition, Reachable, SharedClass, TaintedParameter
from carrel.audit.file_view import FileView
from carrel.audit.memory_files import (
    calls_on,
    is_cut,
    is_file,
    is_read_in_bounds,
    is_written_by,
    made_file,
    only_reads,
    values_of,
)
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name, leaves, parameters_in
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.slices import ends_with_values, is_beginning, is_zero
from carrel.findings import RuleInfo

__all__ = ["ReusedBuffer"]

_FILLS: Final = frozenset({"readinto", "readinto1", "recv_into", "recvfrom_into", "sock_recv_into", "recv_bytes_into"})
_ARRAYS: Final = frozenset({"zeros", "empty", "full", "ones", "zeros_like", "empty_like", "bytearray", "array",
                            "create_string_buffer", "RawArray", "Array", "memoryview"})  # fmt: skip
_CLEARS: Final = frozenset({"fill", "zero_", "fill_", "clear"})
_LOOKS_ON: Final = frozenset({"len", "id", "type", "isinstance", "print", "memoryview", "range", "sizeof", "byref",
                             "addressof", "enumerate", "iter", "from_buffer", "from_numpy", "as_tensor",
                             "copyto"})  # fmt: skip
"""What reads nothing of it, or gives another view of it."""


class ReusedBuffer:
    """`stream.readinto(self._buffer)`, then `bytes(self._buffer)`; or `seek(0)` without `truncate()`."""

    info = RuleInfo(
        rule="reused-buffer",
        code="CAR031",
        severity="error",
        title="A reused buffer is read beyond what was just written",
        why="The buffer is kept for all requests. Where this request wrote less than the one before, the rest of the "
        "other user's data is still there and is read with it.",
        fix="Read only as much as was written (`buffer[:count]`), truncate, or make a buffer for each request.",
        page=rule_page("reused-buffer"),
        leak_classes=(31,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for mutation in view.mutations:
            if mutation.kind == "item" and _is_partial(view, mutation):
                yield from self._partly_set(view, mutation)
        for function in view.functions:
            yield from self._joined(view, function)
        for owner in view.classes:
            if "BufferedProtocol" in view.base_names(owner):
                yield from self._received(view, owner)
        for function in view.functions:
            for call in function.nodes(ast.Call):
                yield from self._computed_into(view, call, function)
                if not isinstance(call.func, ast.Attribute):
                    continue
                if call.func.attr in _FILLS:
                    for buffer in (*call.args, *_looked_into(view, call, function)):
                        yield from self._filled(view, buffer, function)
                elif call.func.attr == "seek" and len(call.args) == 1 and is_zero(call.args[0]):
                    yield from self._rewound(view, call, function)

    def _filled(self, view: FileView, buffer: ast.expr, function: Block) -> Iterator[Candidate]:
        given = _kept(view.access(buffer, function))
        lent = _lent(view, buffer, function) if given is None else None
        if given is None and lent is None:
            return
        text = ast.unparse(buffer)
        for node in function.nodes(ast.Name, ast.Attribute):
            if ast.unparse(node) != text or view.module.parent(node) is lent:
                continue
            is_handed = _is_handed_whole(view, node, function) and not _is_head(view, node, function)
            if _is_read_whole(view, node) or _is_read_on(view, node) or is_handed:
                message = f"all of `{text}` is read, also what this call did not write"
                yield view.candidate(self.info, node, message, block=function, given=given or (),
                                     related=(view.location(buffer, "written here, as much as there is"),))  # fmt: skip
                return

    def _partly_set(self, view: FileView, mutation: Mutation) -> Iterator[Candidate]:
        """`self._ids[:len(ids)] = ids`, where nothing clears the rest."""
        function, buffer = mutation.block, mutation.target
        if _is_array(view, view.access(buffer, function)) and not _is_changed_besides(view, buffer, function, mutation):
            yield from self._filled(view, buffer, function)
            yield from self._read_past(view, mutation)

    def _read_past(self, view: FileView, mutation: Mutation) -> Iterator[Candidate]:
        """`view[:len(chunk)] = chunk`, and then `bytes(view[:length])` with a length of its own."""
        function, buffer = mutation.block, ast.unparse(mutation.target)
        given = _kept(view.access(mutation.target, function))
        written = {one for value in mutation.values for one in _named(value)}
        for read in function.nodes(ast.Subscript) if given is not None else ():
            end = read.slice.upper if isinstance(read.slice, ast.Slice) else None
            told = {one for name in _named(end) for one in (name, *_named(_local(name, function)))}
            is_read = (
                isinstance(read.ctx, ast.Load) and ast.unparse(read.value) == buffer and _is_read_whole(view, read)
            )
            if is_read and told and told.isdisjoint(written):
                message = f"`{ast.unparse(read)}` is read, also what this call did not write"
                yield view.candidate(self.info, read, message, block=function, given=given or ())
                return

    def _joined(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`return "".join(self.parts)`, with the parts of all calls, which nothing takes out again."""
        for returned in function.nodes(ast.Return):
            match returned.value:
                case ast.Call(func=ast.Attribute(attr="join", value=ast.Constant()), args=[parts]):
                    access = view.access(parts, function)
                case _:
                    continue
            owner = access.own_class
            changes = [
                one for one in view.mutations
                if owner is not None and len(access.steps) == 1 and access.path in _changed(one)
                and not one.block.is_initializer
            ]  # fmt: skip
            puts = [one for one in changes if one.kind == "method" and one.name in ("append", "extend", "insert")]
            if owner is None or not puts or len(puts) < len(changes):
                continue
            handed = [
                (one, name) for one in puts for value in one.values for name in parameters_in(view, value, one.block)
            ]
            grades = [Grade("error", (TaintedParameter(one.block.symbol, name),)) for one, name in handed]
            message = f"all of `{ast.unparse(parts)}` is read, also what earlier calls put there"
            yield view.candidate(self.info, parts, message, block=function, grades=tuple(grades),
                                 given=(SharedClass(owner.symbol), Reachable(function.symbol)),
                                 related=(view.location(puts[0].node, "put there by each call"),))  # fmt: skip

    def _computed_into(self, view: FileView, call: ast.Call, function: Block) -> Iterator[Candidate]:
        """`np.divide(pcm, 32768, out=self._samples[:n])`, where nothing clears the rest."""
        for target in (*(one.value for one in call.keywords if one.arg == "out"), *_copied_to(view, call)):
            if isinstance(target, ast.Subscript) and is_beginning(target.slice):
                buffer = target.value
                if _is_array(view, view.access(buffer, function)) and not _is_changed_besides(view, buffer, function):
                    yield from self._filled(view, buffer, function)

    def _handed_round(
        self, view: FileView, rewound: ast.Call, returned: ast.Call, function: Block
    ) -> Iterator[Candidate]:
        """`buffer = self._idle.get()`, `buffer.seek(0)`, and later `self._idle.put(buffer)`, with no `truncate`."""
        buffer = ast.unparse(rewound.func.value) if isinstance(rewound.func, ast.Attribute) else ""
        pool = view.access(returned.func.value, function) if isinstance(returned.func, ast.Attribute) else None
        given = _kept(pool) if pool is not None else None
        calls = [one.func for one in function.nodes(ast.Call) if isinstance(one.func, ast.Attribute)]
        cut = any(one.attr == "truncate" and ast.unparse(one.value) == buffer for one in calls)
        if pool is None or given is None or cut or not is_written_by(buffer, function):
            return
        filled = (one for _, call in calls_on(view, pool) for one in call.args if isinstance(one, ast.Call))
        made = next((one for one in filled if is_file(view, one)), None)
        if made is not None:
            message = f"`{buffer}` is written from the start again, and what was in it before stays behind"
            yield view.candidate(self.info, rewound, message, block=function, given=given,
                                 related=(view.location(made, "the buffer is made once"),))  # fmt: skip

    def _received(self, view: FileView, owner: Block) -> Iterator[Candidate]:
        """A buffer of all connections that `get_buffer` gives, of which `buffer_updated` reads more than arrived."""
        methods = {one.name: one for one in view.methods(owner)}
        given, updated = methods.get("get_buffer"), methods.get("buffer_updated")
        if given is None or updated is None:
            return
        for returned in given.nodes(ast.Return):
            for buffer in _viewed(view, returned.value, given):
                access = view.access(buffer, given)
                if access.kind not in ("global", "class") or "()" in access.steps:
                    continue
                for node in updated.nodes(ast.Name, ast.Attribute):
                    if ast.unparse(node) == ast.unparse(buffer) and _is_read_whole(view, node):
                        message = f"all of `{ast.unparse(node)}` is read, also what did not just arrive"
                        filled = view.location(returned, "filled for every connection")
                        yield view.candidate(self.info, node, message, block=updated, related=(filled,))
                        return

    def _rewound(self, view: FileView, call: ast.Call, function: Block) -> Iterator[Candidate]:
        buffer = call.func.value if isinstance(call.func, ast.Attribute) else call
        access = view.access(buffer, function)
        given = _kept(access)
        made = made_file(view, access)
        if given is None and (returned := _lent(view, buffer, function)) is not None:
            yield from self._handed_round(view, call, returned, function)
        if given is None or made is None or is_cut(view, access, function) or only_reads(view, access):
            return
        if is_read_in_bounds(view, access):
            return
        message = f"`{ast.unparse(buffer)}` is written from the start again, and what was in it before stays behind"
        yield view.candidate(self.info, call, message, block=function, given=given,
                             related=(view.location(made, "the buffer is made once"),))  # fmt: skip


def _named(node: ast.expr | None) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} if node is not None else set()


def _local(name: str, function: Block) -> ast.expr | None:
    """What the local is given last."""
    return next((one.value for one in reversed(function.scope.bindings.get(name, ())) if one.value is not None), None)


def _changed(mutation: Mutation) -> set[str]:
    """The paths of what a change is of, of an attribute that is bound anew too."""
    end = f".{mutation.name}" if mutation.kind == "attribute" else ""
    return {f"{one.path}{end}" for one in mutation.accesses if one.path}


def _kept(access: Access) -> tuple[Condition, ...] | None:
    """What must hold for the buffer to serve more than one request; `None` when it cannot."""
    if access.own_class is not None and len(access.steps) == 1:
        return (SharedClass(access.own_class.symbol),)
    return () if access.kind in ("global", "class", "cell") and "()" not in access.steps else None


def _lent(view: FileView, buffer: ast.expr, function: Block) -> ast.Call | None:
    """The call that gives the buffer back to where the function got it: `pool.give(block)` after `pool.take()`."""
    made = function.scope.bindings.get(buffer.id, ()) if isinstance(buffer, ast.Name) else ()
    values = [one.value.value if isinstance(one.value, ast.Await) else one.value for one in made]
    takers = [one for one in values if isinstance(one, ast.Call)]
    if len(takers) != 1 or not isinstance(takers[0].func, ast.Attribute) or not isinstance(buffer, ast.Name):
        return None
    pool = takers[0].func.value
    if view.access(pool, function).kind not in ("global", "class", "cell", "self"):
        return None
    for call in function.nodes(ast.Call):
        returned = any(isinstance(one, ast.Name) and one.id == buffer.id for one in call.args)
        if returned and isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == ast.unparse(pool):
            return call
    return None


def _is_partial(view: FileView, mutation: Mutation) -> bool:
    """Whether a part of the target is set that ends where the new values do."""
    key = mutation.keys[-1] if mutation.keys else None
    return ends_with_values(view, key, mutation.block) and not isinstance(mutation.node, ast.Delete)


def _copied_to(view: FileView, call: ast.Call) -> list[ast.expr]:
    return call.args[:1] if view.dotted(call.func) == "numpy.copyto" else []


def _is_array(view: FileView, access: Access) -> bool:
    """Whether the name is an array of a size that it keeps, not a list that a slice makes longer or shorter."""
    return any(isinstance(one, ast.Call) and called_name(one) in _ARRAYS for one in values_of(view, access))


def _is_changed_besides(view: FileView, buffer: ast.expr, function: Block, mutation: Mutation | None = None) -> bool:
    """Whether the function sets the rest as well, or clears all of it, or takes a new one."""
    text = ast.unparse(buffer)
    for other in view.mutations:
        if other.block is not function or other is mutation:
            continue
        if ast.unparse(other.target) == text and (other.kind == "item" or other.name in _CLEARS):
            return True
        if other.kind == "attribute" and f"{ast.unparse(other.target)}.{other.name}" == text:
            return True
    return any(
        called_name(call) in _CLEARS and isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == text
        for call in function.nodes(ast.Call)
    )


def _viewed(view: FileView, node: ast.expr | None, function: Block) -> Iterator[ast.expr]:
    """The buffer, and what it is a `memoryview` of."""
    if node is None:
        return
    yield node
    values = [node, *values_of(view, view.access(node, function))]
    for value in values:
        if isinstance(value, ast.Call) and called_name(value) == "memoryview":
            yield from value.args


def _looked_into(view: FileView, call: ast.Call, function: Block) -> Iterator[ast.expr]:
    """The buffers of which the call fills a part through a view of them, and which nothing clears: `view[got:]`."""
    loop = next((one for one in view.ancestors(call) if isinstance(one, ast.While)), None)
    if loop is not None and not any(isinstance(one, ast.Break) for one in ast.walk(loop)):
        return  # the loop ends when all is filled
    for leaf, where in (found for value in call.args for found in leaves(view, value, function)):
        if isinstance(leaf, ast.Call) and called_name(leaf) == "memoryview" and where is function:
            yield from (one for one in leaf.args if not _is_changed_besides(view, one, function))


def _is_read_whole(view: FileView, node: ast.expr) -> bool:
    parent = view.module.parent(node)
    match parent:
        case ast.Call() if node in parent.args:
            name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
            return name in ("bytes", "bytearray", "str", "loads", "write", "send", "sendall", "send_bytes", "append")
        case ast.Attribute():
            return parent.attr in ("decode", "hex", "rstrip", "strip", "split", "tobytes")
        case ast.Return() | ast.Yield():
            return True
    return False


def _is_read_on(view: FileView, node: ast.expr) -> bool:
    """Whether it is read from somewhere to its end: `bytes(buffer[4:])`, `bytes(memoryview(buffer)[4:])`."""
    seen: ast.AST = node
    around = view.module.parent(seen)
    if isinstance(around, ast.Call) and called_name(around) == "memoryview" and node in around.args:
        seen, around = around, view.module.parent(around)
    if not isinstance(around, ast.Subscript) or around.value is not seen or not isinstance(around.ctx, ast.Load):
        return False
    return isinstance(around.slice, ast.Slice) and around.slice.upper is None and _is_read_whole(view, around)


def _is_head(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether what reads it takes as much as it needs from the start, after a look at whether there is that much.

    `if count < HEAD.size: return`, then `HEAD.unpack_from(buffer)`.
    """
    call = view.module.parent(node)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != "unpack_from":
        return False
    size = f"{ast.unparse(call.func.value)}.size"
    return any(
        isinstance(one.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
        and one.lineno < call.lineno
        and isinstance(one.test, ast.Compare)
        and size in map(ast.unparse, (one.test.left, *one.test.comparators))
        for one in function.nodes(ast.If)
    )


def _is_handed_whole(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether something works on all of it, is not told how much there is, and what it gives is not cut either."""
    call = view.module.parent(node)
    if not isinstance(call, ast.Call) or node not in call.args or called_name(call) in _LOOKS_ON | _FILLS | _CLEARS:
        return False
    others = (*(one for one in call.args if one is not node), *(one.value for one in call.keywords))
    if not all(isinstance(one, ast.Constant) for one in others):
        return False
    around = view.module.parent(call)
    if isinstance(around, ast.Await):
        around = view.module.parent(around)
    cut = {ast.unparse(one.value) for one in function.nodes(ast.Subscript) if isinstance(one.slice, ast.Slice)}
    named = {ast.unparse(one) for one in around.targets} if isinstance(around, ast.Assign) else set()
    return not isinstance(around, ast.Subscript) and cut.isdisjoint(named)
