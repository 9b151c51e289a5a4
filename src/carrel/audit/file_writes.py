"""What calls write to files, and where."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name

__all__ = ["COMMANDS", "commanded", "removed", "written"]

_WRITES: Final = frozenset({"write_text", "write_bytes"})
_SAVES: Final = frozenset({"save", "to_csv", "to_json", "to_excel", "to_parquet", "savefig", "copyfile", "urlretrieve",
                           "download_file", "write_audio", "write_videofile", "imwrite"})  # fmt: skip
_SAVING: Final = re.compile(r"^a?_?(?:save|download|export|write|dump)(?:_\w+)?$")
"""What puts something into a file, where its first argument names one."""
_TO: Final = frozenset({"destination", "dest", "dst", "to", "path", "file_path", "local_path", "filename", "file_name"})
_DOWNLOADS: Final = re.compile(r"^download_to_(?:drive|file|path|disk|filename)$")
_FILE: Final = re.compile(r"\w\.\w{2,4}$")
_OPENS: Final = re.compile(r"^open$|_open$|^open_file$|File$")
_MODE: Final = re.compile(r"^[wxa][bt+]{0,2}(?:[:|]\w*)?$")
_MAKES: Final = frozenset({"mkdir", "makedirs"})
COMMANDS: Final = re.compile(r"^(?:subprocess\.\w+|asyncio\.create_subprocess_exec|os\.(?:spawn|exec)\w+)$")
_OUTPUT: Final = re.compile(r"^--?o(?:ut\w*)?$")


def written(call: ast.Call) -> tuple[ast.expr | None, list[ast.expr] | None]:
    """The path that a call writes to, and what it writes; no data for a directory."""
    name, arguments = called_name(call), list(call.args)
    on = call.func.value if isinstance(call.func, ast.Attribute) else None
    if name in _WRITES and on is not None:
        return on, arguments
    if name == "open" and on is not None and arguments and _is_for_writing(arguments[0]):
        return on, []  # a path opens itself
    if _OPENS.search(name) and arguments and not (name == "open" and isinstance(on, ast.Call)):
        modes = [*arguments[1:2], *(one.value for one in call.keywords if one.arg == "mode")]
        return (arguments[0], []) if any(map(_is_for_writing, modes)) else (None, None)
    if _SAVING.match(name) and arguments and _names_file(arguments[0]):
        return arguments[0], [*([on] if on else []), *arguments[1:]]
    if _SAVING.match(name) and (to := [one.value for one in call.keywords if one.arg in _TO]):
        return to[0], [*([on] if on else []), *arguments]
    if _DOWNLOADS.match(name) and arguments:
        return arguments[0], [on] if on else []
    if name in _SAVES and arguments:
        return arguments[-1 if name in ("copyfile", "download_file", "urlretrieve") else 0], [on] if on else []
    if name in _MAKES:
        return (arguments[0] if name == "makedirs" and arguments else on), None
    return None, None


def _is_for_writing(mode: ast.expr) -> bool:
    return isinstance(mode, ast.Constant) and _MODE.match(str(mode.value)) is not None


def _names_file(path: ast.expr) -> bool:
    return isinstance(path, ast.Constant) and isinstance(path.value, str) and _FILE.search(path.value) is not None


def commanded(view: FileView, call: ast.Call) -> Iterator[tuple[ast.expr, list[ast.expr]]]:
    """Where a command puts its result, the last argument or the one after `-o`, and what else it is told."""
    if not COMMANDS.match(view.dotted(call.func)):
        return
    words = call.args[0].elts if call.args and isinstance(call.args[0], ast.List | ast.Tuple) else call.args
    for before, word in pairwise(words):
        is_output = isinstance(before, ast.Constant) and _OUTPUT.match(str(before.value)) is not None
        path = word.args[0] if isinstance(word, ast.Call) and called_name(word) == "str" and word.args else word
        if (is_output or word is words[-1]) and isinstance(path, ast.Name):
            yield path, [one for one in words if one is not word]


def removed(call: ast.Call) -> set[str]:
    """The names in what a call removes; none for any other call."""
    if called_name(call) not in ("remove", "unlink", "rmtree"):
        return set()
    places = call.args or ([call.func.value] if isinstance(call.func, ast.Attribute) else [])
    return {one.id for place in places[:1] for one in ast.walk(place) if isinstance(one, ast.Name)}
