"""A temporary file that has the same name for every request."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.conditions import AnyOf, Condition, HasEntryPoints, Not, Reachable, SharedClass, TaintedParameter
from carrel.audit.data_conditions import Gives
from carrel.audit.file_view import FileView
from carrel.audit.file_writes import COMMANDS, commanded, removed, written
from carrel.audit.fixed_paths import (
    FixedPath,
    fixed_path,
    handed_parts,
    is_kept_by_name,
    is_temporary,
    is_unique,
    lenders,
    lent_parts,
    path_parts,
    written_into,
)
from carrel.audit.origins import called_name, parameters_in
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.taint import Taint
from carrel.audit.through import called_here
from carrel.findings import RuleInfo

__all__ = ["FixedTemporaryPath"]

_READS: Final = frozenset({"read_bytes", "read_text"})
_SERVES: Final = frozenset({"FileResponse", "send_file"})
_ASKS: Final = frozenset({"dirname", "basename", "exists", "isfile", "isdir", "open", "remove", "unlink", "getsize",
                          "makedirs", "mkdir", "join", "Path", "str", "FileResponse", "send_file", "stat"})  # fmt: skip
"""Calls that are handed a path and write nothing there."""
_RESULT: Final = re.compile(
    r"(?:^|_)(?:dir|directory|folder|dest|destination|dst|target|out|output|outfile|save)(?:_|$)", re.IGNORECASE
)
"""Names of a place that the caller has chosen for a result: two who choose the same one mean the same file."""


class FixedTemporaryPath:
    """`Path("/tmp/upload.pdf").write_bytes(await file.read())`."""

    info = RuleInfo(
        rule="fixed-temporary-path",
        code="CAR032",
        severity="error",
        title="A temporary path is the same for every request",
        why="Two requests at the same time write to one file, and each reads what the other has written.",
        fix="Use `tempfile.NamedTemporaryFile` or `tempfile.TemporaryDirectory`, or put a `uuid4()` into the name.",
        page=rule_page("fixed-temporary-path"),
        leak_classes=(32,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            for call in function.nodes(ast.Call):
                path, data = written(call)
                if path is None:
                    continue
                data = written_into(view, call) if data == [] and _is_used_again(path, call, function) else data
                parts = list(path_parts(path, function))
                parts += lent_parts(view, parts, function)
                temporary = is_temporary(view, parts) or _is_upload(view, call, parts, function)
                if temporary and not any(is_unique(part) for part in parts):
                    yield from self._candidates(view, call, function, parts, data)

            yield from self._round_trips(view, function)
            yield from self._below(view, function)
            yield from self._lent(view, function)
            yield from self._uploads(view, function)
            yield from self._commands(view, function)
            yield from self._held(view, function)

    def _below(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`(folder / "slip.html").write_text(text)`, where the file hands over one temporary directory for all."""
        for call in function.nodes(ast.Call):
            path, data = written(call)
            data = written_into(view, call) if data == [] else data
            parts = list(path_parts(path, function)) if path is not None and data else []
            if not parts or is_temporary(view, parts) or any(map(is_unique, parts)):
                continue
            handed = handed_parts(view, parts, function)
            if any(is_temporary(view, one) and not any(map(is_unique, one)) for one in handed):
                taint = view.best_taint(tuple(data or ()), function)
                message = f"`{function.name}` writes to a temporary path that another request has too"
                if taint is not None:
                    grades = (Grade("error", (*taint.given, Reachable(function.symbol))), Grade("info"))
                    yield view.candidate(self.info, call, message, block=function, grades=grades)

    def _lent(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`with place_for(upload.filename) as path`, where a function of another file lends all the same place."""
        for call in function.nodes(ast.Call):
            path, data = written(call)
            if not isinstance(path, ast.Name) or data is None:
                continue
            for lender in lenders(function, {path.id}):
                handed = [*lender.args, *(one.value for one in lender.keywords)]
                parts = [part for one in handed for part in path_parts(one, function)]
                used = _is_used_again(path, call, function, for_result=view)
                taint = view.best_taint(tuple(data or written_into(view, call)), function) if used else None
                if taint is not None and called_here(view, lender) is None and not any(map(is_unique, parts)):
                    message = f"`{function.name}` works on a file that another request writes at the same path"
                    given = (Gives(view.path(lender.func, function), "fixed-path"),)
                    grades = (Grade("error", (*taint.given, Reachable(function.symbol))),)
                    yield view.candidate(self.info, call, message, block=function, given=given, grades=grades)

    def _uploads(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """What the request brings is written to one path of constants, and the result is made from there."""
        for call in function.nodes(ast.Call):
            path, data = written(call)
            if path is None or data is None or not _is_used_again(path, call, function, for_result=view):
                continue
            parts = list(path_parts(path, function))
            fixed = fixed_path(view, path, function)
            if fixed is None or fixed.parameters or fixed.helpers or is_temporary(view, parts):
                continue
            taint = view.best_taint(tuple(data or written_into(view, call)), function)
            message = f"`{function.name}` works on a file that another request writes at the same path"
            if taint is not None:
                yield view.candidate(self.info, call, message, block=function,
                                     grades=(Grade("error", (*taint.given, Reachable(function.symbol))),))  # fmt: skip
            elif _is_given_back(call, function) and view.entry_point(function) is not None and function.parameters:
                yield view.candidate(self.info, call, message, block=function, severity="warning")

    def _commands(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`run(["ffmpeg", "-i", upload, target])` and then `transcribe(target)`, with a target that is nobody's own."""
        for call in function.nodes(ast.Call):
            for path, data in commanded(view, call):
                used = _is_used_again(path, call, function, for_result=view)
                fixed = fixed_path(view, path, function) if used else None
                if fixed is None or fixed.parameters or fixed.helpers:
                    continue
                taint = view.best_taint(tuple(data), function)
                if taint is not None:
                    message = f"`{function.name}` works on a file that another request makes at the same path"
                    grades = (Grade("error", (*taint.given, Reachable(function.symbol))),)
                    yield view.candidate(self.info, call, message, block=function, grades=grades)
                    return

    def _held(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`self.source.write_text(text)` and then `run(["dot", self.source])`, where one object serves all requests."""
        for call in function.nodes(ast.Call):
            path, data = written(call)
            if not isinstance(path, ast.Attribute) or data is None:
                continue
            owner = view.access(path, function).own_class
            made = list(_made_with(view, owner, path.attr)) if owner is not None else []
            is_named = any(isinstance(one, ast.Constant) for one in made) and not any(map(is_unique, made))
            if owner is None or not is_named or not _is_used_again(path, call, function, for_result=view):
                continue
            taint = view.best_taint(tuple(data or written_into(view, call)), function)
            if taint is not None:
                message = f"`{function.name}` works on a file that another request writes at the same path"
                grades = (Grade("error", (*taint.given, Reachable(function.symbol))),)
                yield view.candidate(self.info, call, message, block=function, given=(SharedClass(owner.symbol),),
                                     grades=grades)  # fmt: skip
                return

    def _round_trips(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`book.save(path)` and then `FileResponse(open(path, "rb"))`, with a path that is nobody's own."""
        for read, path in _read_back(view, function):
            fixed = fixed_path(view, path, function)
            if fixed is None or len(fixed.helpers) > 1 or is_temporary(view, list(path_parts(path, function))):
                continue
            handed = [(one, [*one.args, *(each.value for each in one.keywords)]) for one in fixed.helpers]
            for call, data in (*handed, *_written_before(view, read, path, function)):
                taint = view.best_taint(tuple(data), function)
                if taint is not None:
                    yield self._round_trip(view, call, read, function, fixed, taint)
                    return

    def _round_trip(
        self, view: FileView, call: ast.Call, read: ast.Call, function: Block, fixed: FixedPath, taint: Taint
    ) -> Candidate:
        message = f"`{function.name}` gives back a file that another request writes at the same path"
        given = tuple(Gives(view.path(one.func, function), "fixed-path") for one in fixed.helpers)
        return view.candidate(self.info, call, message, block=function, given=given,
                              grades=(Grade("error", (*taint.given, Reachable(function.symbol))),),
                              related=(view.location(read, "read and given back here"),))  # fmt: skip

    def _candidates(
        self, view: FileView, call: ast.Call, function: Block, parts: list[ast.AST], data: list[ast.expr] | None
    ) -> Iterator[Candidate]:
        names = [one for one in parts if isinstance(one, ast.Name) and function.parameter(one.id)]
        is_chosen = any(_is_chosen(part, function) for part in parts)
        if data is None and (is_chosen or not names):
            return  # a directory for all, in which each has its own
        is_kept = is_kept_by_name(view, data or written_into(view, call), parts, function)
        grades = [] if is_chosen or is_kept else self._grades(view, call, function, names, data)
        message = f"`{function.name}` writes to a temporary path that another request has too"
        made = _made(function, parts)
        related = (view.location(call, "written here"),) if made is not None else ()
        yield view.candidate(self.info, made or call, message, block=function, related=related,
                             grades=(*grades, Grade("info")))  # fmt: skip

    def _grades(
        self, view: FileView, call: ast.Call, function: Block, names: list[ast.Name], data: list[ast.expr] | None
    ) -> list[Grade]:
        reached = Reachable(function.symbol)
        taint = view.best_taint(tuple(data or names), function)
        grades: list[Grade] = []
        if taint is not None:
            passed: tuple[Condition, ...] = taint.given
            # Of a library nobody knows who calls it.
            served = (AnyOf((reached, Not(HasEntryPoints()))),) if taint.by == "request" or passed else (reached,)
            grades = [Grade("error", (*passed, reached)), Grade("warning", (*passed, *served))]
        elif _is_given_back(call, function):
            grades = [Grade("warning", (reached,))]
        if data and not any(parameters_in(view, one, function) for one in data):
            return grades  # what goes in is not the caller's
        return grades + [Grade("warning", (reached, TaintedParameter(function.symbol, one.id))) for one in names]


def _made_with(view: FileView, owner: Block, attribute: str) -> Iterator[ast.AST]:
    """What the path is put together from that the objects of the class are made with."""
    for method in view.methods(owner):
        for mutation in view.mutations_in(method) if method.is_initializer else ():
            if mutation.kind == "attribute" and mutation.name == attribute:
                yield from (part for value in mutation.values for part in path_parts(value, method))


def _read_back(view: FileView, function: Block) -> Iterator[tuple[ast.Call, ast.expr]]:
    """The files that the function gives its caller: served, or read after something has been waited for."""
    for returned in function.nodes(ast.Return):
        for call in ast.walk(returned):
            if not isinstance(call, ast.Call):
                continue
            name = called_name(call)
            if name in _SERVES and call.args:
                opened = call.args[0]
                is_open = isinstance(opened, ast.Call) and called_name(opened) == "open" and bool(opened.args)
                yield call, opened.args[0] if is_open and isinstance(opened, ast.Call) else opened
            elif name in _READS and isinstance(call.func, ast.Attribute) and function.is_async:
                yield call, call.func.value
    commands = [call.lineno for call in function.nodes(ast.Call) if COMMANDS.match(view.dotted(call.func))]
    for assign in function.nodes(ast.Assign) if commands else ():
        match assign.value:
            case ast.Call(func=ast.Attribute(attr=name, value=path)) as call if name in _READS:
                if min(commands) < call.lineno:
                    yield call, path  # what a command has made


def _written_before(
    view: FileView, read: ast.Call, path: ast.expr, function: Block
) -> Iterator[tuple[ast.Call, list[ast.expr]]]:
    """The calls before the reading that put something at the path, or beside it, each with what they put there."""
    named = {one.id for one in path_parts(path, function) if isinstance(one, ast.Name)}
    places = {name for name in named if function.parameter(name) is None}
    for name, bound in function.scope.bindings.items():  # `source = WORK / "in.docx"` beside `WORK / "out.pdf"`
        made = bound[0].value if len(bound) == 1 else None
        parts = list(path_parts(made, function)) if made is not None else []
        fixed = fixed_path(view, made, function) if made is not None else None
        beside = any(isinstance(one, ast.Name) and one.id.isupper() and one.id in named for one in parts)
        places |= {name} if beside and fixed and not (fixed.parameters or fixed.helpers) else set()
    waits = [one.lineno for one in (*function.nodes(ast.Await), *function.nodes(ast.AsyncFor, ast.AsyncWith))]
    for call in function.nodes(ast.Call):
        last = call.end_lineno or call.lineno
        between = any(last < line <= read.lineno for line in waits)
        if call.lineno >= read.lineno or (function.is_async and not between):
            continue
        place, data = written(call)
        if place is not None and data is not None:
            names = {ast.unparse(one) for one in path_parts(place, function) if isinstance(one, ast.Name)}
            if places & names:
                yield call, data
            continue
        others = [one for one in call.args if not (isinstance(one, ast.Name) and one.id in places)]
        if called_name(call) not in _ASKS and len(others) < len(call.args):
            yield call, others


def _is_chosen(part: ast.AST, function: Block) -> bool:
    """Whether the caller says where the result is to be: `output_path`, `options.output_dir`."""
    root = part
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(part, ast.Name | ast.Attribute) or not isinstance(root, ast.Name):
        return False
    is_handed = function.parameter(root.id) is not None and root.id != function.receiver
    return is_handed and _RESULT.search(ast.unparse(part).rpartition(".")[2]) is not None


def _is_given_back(call: ast.Call, function: Block) -> bool:
    """Whether the function writes to a literal path and gives the file to its caller: `return "/tmp/out.txt"`."""
    path, _ = written(call)
    return isinstance(path, ast.Constant) and any(
        isinstance(one, ast.Constant) and one.value == path.value
        for returned in function.nodes(ast.Return)
        for one in ast.walk(returned)
    )


def _made(function: Block, parts: list[ast.AST]) -> ast.AST | None:
    """Where a local is given the path, when that is not where it is written to."""
    names = [one.id for one in parts if isinstance(one, ast.Name)]
    bindings = (one for name in names for one in function.scope.bindings.get(name, ()))
    return next((one.node for one in bindings if one.value is not None), None)


def _is_used_again(path: ast.expr, opened: ast.Call, function: Block, *, for_result: FileView | None = None) -> bool:
    """Whether a later call is handed the path: `run(["convert", "/tmp/in.svg", …])`.

    With `for_result` only a call counts of which the function uses what it gives.
    """
    text = ast.unparse(path)
    if any(ast.unparse(one.value) == text for one in function.nodes(ast.Return) if one.value is not None):
        return True
    return any(
        call.lineno > opened.lineno
        and any(isinstance(one, ast.expr) and ast.unparse(one) == text for one in inside)
        and (for_result is None or (called_name(call) not in _ASKS and _gives_result(for_result, call)))
        for call in function.nodes(ast.Call)
        if (inside := [each for argument in call.args for each in ast.walk(argument)])
    )


def _gives_result(view: FileView, call: ast.Call) -> bool:
    around = view.module.parent(call)
    return not isinstance(view.module.parent(around) if isinstance(around, ast.Await) else around, ast.Expr)


def _is_upload(view: FileView, call: ast.Call, parts: list[ast.AST], function: Block) -> bool:
    """Whether the file has the name that the client gave it, and is removed again: it is a temporary one anywhere.

    Where the client says the directory too, it is a destination. In a coroutine nothing comes between what goes
    without an `await` until the file is removed.
    """
    files = {ast.unparse(part.value) for part in parts if isinstance(part, ast.Attribute) and part.attr == "filename"}
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    if not files or any(function.parameter(name) for name in names - files - {function.receiver}):
        return False
    removals = [one for one in function.nodes(ast.Call) if removed(one) & names]
    if not function.is_async:
        return bool(removals)
    return any(view.suspends_between(call, one, function) for one in removals)
